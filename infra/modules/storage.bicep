// The storage accounts: one for events, lineage, queues and the Functions host, one for the app's code alone. A caller
// that may write to the second one decides what runs as the app. Neither has keys: every caller has an identity.
import { resourceTags } from 'types.bicep'

param name string
param packageName string
param packageContainer string
param location string
param tags resourceTags

@description('Standard_LRS or Standard_ZRS.')
param redundancy string

@description('Whether the accounts can be reached without a private endpoint.')
param isPublic bool

@description('Days after which stored events are deleted.')
param eventRetentionDays int

@description('Days for which a deleted blob or container can be restored; 0: not at all.')
param softDeleteDays int

@description('The id of the workspace for the log of who read, wrote or deleted what; empty: none.')
param auditWorkspaceId string

// The parts that storage/clients.py creates, so that the first event finds them, and the queues of the triggers.
var containers = ['openlineage', 'lineage-details', 'dead-letters', 'locks']
var tables = ['EventMetadata', 'LineageDetails', 'RunProcesses', 'AssetCache', 'CreatedAssets', 'CollectedFiles']
var queues = ['lineage-retry', 'lineage-retry-poison', 'webjobs-blobtrigger-poison']

var access = {
  allowSharedKeyAccess: false
  allowBlobPublicAccess: false
  allowCrossTenantReplication: false
  defaultToOAuthAuthentication: true
  minimumTlsVersion: 'TLS1_2'
  supportsHttpsTrafficOnly: true
  publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
  networkAcls: {
    defaultAction: isPublic ? 'Allow' : 'Deny'
    bypass: 'AzureServices'
  }
}
var restorable = softDeleteDays > 0 ? { enabled: true, days: softDeleteDays } : { enabled: false }
var audit = {
  workspaceId: auditWorkspaceId
  logs: [
    { category: 'StorageRead', enabled: true }
    { category: 'StorageWrite', enabled: true }
    { category: 'StorageDelete', enabled: true }
  ]
}

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: access

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: restorable
      containerDeleteRetentionPolicy: restorable
    }

    resource blobContainers 'containers' = [
      for container in containers: {
        name: container
        properties: { publicAccess: 'None' }
      }
    ]
  }

  resource tableService 'tableServices' = {
    name: 'default'

    resource eventTables 'tables' = [
      for table in tables: {
        name: table
      }
    ]
  }

  resource queueService 'queueServices' = {
    name: 'default'

    resource retryQueues 'queues' = [
      for queue in queues: {
        name: queue
      }
    ]
  }

  // Only events: old blobs in the other containers may be in use.
  resource retention 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'old-events'
            type: 'Lifecycle'
            definition: {
              filters: {
                blobTypes: ['blockBlob']
                prefixMatch: ['openlineage/runs/']
              }
              actions: {
                baseBlob: { delete: { daysAfterModificationGreaterThan: eventRetentionDays } }
              }
            }
          }
        ]
      }
    }
    dependsOn: [blobs]
  }
}

resource packageAccount 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: packageName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: access

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: restorable
      containerDeleteRetentionPolicy: restorable
    }

    resource container 'containers' = {
      name: packageContainer
      properties: { publicAccess: 'None' }
    }
  }
}

#disable-next-line use-recent-api-versions // There is no newer one; every Microsoft sample has it.
resource auditOfBlobs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(auditWorkspaceId)) {
  scope: account::blobs
  name: 'audit'
  properties: audit
}

#disable-next-line use-recent-api-versions // There is no newer one; every Microsoft sample has it.
resource auditOfTables 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(auditWorkspaceId)) {
  scope: account::tableService
  name: 'audit'
  properties: audit
}

#disable-next-line use-recent-api-versions // There is no newer one; every Microsoft sample has it.
resource auditOfQueues 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(auditWorkspaceId)) {
  scope: account::queueService
  name: 'audit'
  properties: audit
}

#disable-next-line use-recent-api-versions // There is no newer one; every Microsoft sample has it.
resource auditOfPackages 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(auditWorkspaceId)) {
  scope: packageAccount::blobs
  name: 'audit'
  properties: audit
}

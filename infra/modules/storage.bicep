// The storage account: events, lineage, queues, and the app's own code. No keys: everybody comes with an identity.
param name string
param location string
param tags object

@description('Standard_LRS or Standard_ZRS.')
param redundancy string

@description('Whether it can be reached without a private endpoint.')
param isPublic bool

@description('Days after which stored events are deleted.')
param eventRetentionDays int

// What storage/clients.py makes, so that the first event finds it, and the queues that the triggers listen to.
var containers = ['openlineage', 'lineage-details', 'dead-letters', 'locks']
var tables = ['EventMetadata', 'LineageDetails', 'RunProcesses', 'AssetCache', 'CreatedAssets']
var queues = ['lineage-retry', 'lineage-retry-poison', 'webjobs-blobtrigger-poison']
var deploymentContainer = 'app-package'

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
    networkAcls: {
      defaultAction: isPublic ? 'Allow' : 'Deny'
      bypass: 'AzureServices'
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'

    resource blobContainers 'containers' = [for container in concat(containers, [deploymentContainer]): {
      name: container
    }]
  }

  resource tableService 'tableServices' = {
    name: 'default'

    resource eventTables 'tables' = [for table in tables: {
      name: table
    }]
  }

  resource queueService 'queueServices' = {
    name: 'default'

    resource retryQueues 'queues' = [for queue in queues: {
      name: queue
    }]
  }

  // Only events: what lies in the other containers may be in use, however old it is.
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

output id string = account.id
output name string = account.name
output deploymentContainer string = deploymentContainer
output blobUri string = account.properties.primaryEndpoints.blob
output queueUri string = account.properties.primaryEndpoints.queue
output tableUri string = account.properties.primaryEndpoints.table

// Sparklin on Azure, without the Event Grid subscription: that is events.bicep, and comes after the code.
targetScope = 'subscription'

import { optionalSettings, resourceTags } from 'modules/types.bicep'

@description('A short name of this installation, part of all names.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('The region; it must have the plan Flex Consumption.')
param location string

@description('The resource group; created if it does not exist.')
param resourceGroupName string = 'rg-${environmentName}'

@description('The cloud: that of Azure itself, or a sovereign one.')
@allowed(['AzureCloud', 'AzureUSGovernment', 'AzureChinaCloud'])
param cloud string = 'AzureCloud'

@description('The name of the Purview account.')
@minLength(3)
param purviewAccountName string

@description('The address of Purview, where it is neither https://<account>.purview.azure.com nor that of the cloud.')
param purviewEndpoint string = ''

@description('The resource id of the Purview account, for its private endpoint; without it Purview is reached publicly.')
param purviewAccountId string = ''

@description('Optional settings of the app, as docs/settings.md explains them.')
param settings optionalSettings = {}

@description('Folders in OneLake or ADLS whose event files are collected, as addresses; empty: none.')
param eventFolders string[] = []

@description('Whether there is an event hub, for agents with transport kafka.')
param eventHub bool = false

@description('none: no network. outbound: storage and Purview by private endpoints. private: the receiver too, without Event Grid.')
@allowed(['none', 'outbound', 'private'])
param network string = 'none'

@description('The addresses of the network, at least a /25.')
param addressRange string = '10.240.0.0/25'

@description('The only addresses that may reach the receiver, as CIDR, in addition to Event Grid: those of Spark. Empty: all.')
param allowedAddresses string[] = []

// A Python app that has to start first can take longer than the 5 s after which the agent drops its event. An instance
// that is always ready is billed for its memory all day, without a free grant; 0 saves that and accepts the loss.
@description('Instances for HTTP that never stop.')
@minValue(0)
@maxValue(20)
param alwaysReady int = 1

// Each instance works on three new events or two retries at a time (host.json; Flex Consumption scales blob triggers and
// each queue trigger apart), and Purview takes 25 operations a second per capacity unit: more instances would only
// have to wait. 40 was the minimum of the plan; where it accepts less, less is enough.
@description('The most instances.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

@description('The memory of an instance, in MB. A large event is in memory several times, so 512 is for small ones only.')
@allowed([512, 2048, 4096])
param instanceMemory int = 2048

// Not less than the time for which the app reads events: one day more than LINEAGE_WINDOW_DAYS, and 16.
@description('Days after which stored events are deleted; what Purview shows stays.')
@minValue(31)
param eventRetentionDays int = 365

@description('Days for which a deleted blob or container can be restored; 0: not at all.')
@minValue(0)
@maxValue(365)
param softDeleteDays int = 7

@description('How storage is kept: in one data centre, or in three (not in every region).')
@allowed(['Standard_LRS', 'Standard_ZRS'])
param storageRedundancy string = 'Standard_LRS'

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

// The app's own requests are logged with all others, and logs are paid for by size.
@description('Whether every read, write and deletion in storage is logged, with the identity that made it.')
param auditLog bool = false

@description('Who gets an e-mail when an alert fires; empty: nobody, the alerts are in the portal only.')
param alertEmail string = ''

@description('The client id of a service principal for Purview, instead of the app\'s identity; its secret goes into the vault.')
param servicePrincipalClientId string = ''

@description('The tenant of that service principal; empty: that of the subscription.')
param servicePrincipalTenantId string = ''

var token = toLower(uniqueString(subscription().id, environmentName, location))
var storageName = 'st${token}'
var packageStorageName = 'stpkg${token}'
var packageContainer = 'app-package'
var insightsName = 'appi-${token}'
var workspaceName = 'log-${token}'
var identityName = 'id-${token}'
var vaultName = 'kv-${token}'
var networkName = 'vnet-${token}'
var eventHubName = 'evhns-${token}'
var hubName = 'openlineage'
var consumerGroupName = 'sparklin'
var appName = 'func-${token}'

var hasNetwork = network != 'none'
var hasServicePrincipal = !empty(servicePrincipalClientId)

// The domains of the services in each cloud.
var clouds = {
  AzureCloud: {
    purview: 'purview.azure.com'
    eventHubs: 'servicebus.windows.net'
    vault: 'privatelink.vaultcore.azure.net'
    sites: 'privatelink.azurewebsites.net'
  }
  AzureUSGovernment: {
    purview: 'purview.azure.us'
    eventHubs: 'servicebus.usgovcloudapi.net'
    vault: 'privatelink.vaultcore.usgovcloudapi.net'
    sites: 'privatelink.azurewebsites.us'
  }
  AzureChinaCloud: {
    purview: 'purview.azure.cn'
    eventHubs: 'servicebus.chinacloudapi.cn'
    vault: 'privatelink.vaultcore.azure.cn'
    sites: 'privatelink.chinacloudsites.cn'
  }
}
var hosts = clouds[cloud]
var effectiveEndpoint = empty(purviewEndpoint) ? 'https://${purviewAccountName}.${hosts.purview}' : purviewEndpoint

// A run is read for two weeks and until it is settled, or for as long as a process shows it; one day more is
// the least retention. core/settings.py has the same defaults.
var settleDays = (int(settings.?SETTLE_AFTER_MINUTES ?? '1440') + 1439) / 1440
var leastRetention = max(14 + settleDays, int(settings.?LINEAGE_WINDOW_DAYS ?? '30')) + 1

var problems = filter(
  [
    eventRetentionDays < leastRetention
      ? 'eventRetentionDays must be at least ${leastRetention}: the app looks back that far with these settings.'
      : ''
    network == 'private' && !empty(allowedAddresses)
      ? 'allowedAddresses has no effect with network=private: its endpoint is not subject to access rules.'
      : ''
    !hasNetwork && !empty(purviewAccountId)
      ? 'purviewAccountId is for a private endpoint: it needs network=outbound or network=private.'
      : ''
    !empty(purviewAccountId) && toLower(last(split(purviewAccountId, '/'))) != toLower(purviewAccountName)
      ? 'purviewAccountId is not the id of the account purviewAccountName.'
      : ''
    alwaysReady > maximumInstances ? 'alwaysReady must not be more than maximumInstances.' : ''
  ],
  problem => !empty(problem)
)
var tags resourceTags = empty(problems) ? { 'azd-env-name': environmentName } : fail(join(problems, ' '))

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: resourceGroupName
  location: location
  tags: tags
}

// References by name alone, so that what-if can predict the resources that depend on them.
resource storageAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  scope: group
  name: storageName
}

resource packageAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  scope: group
  name: packageStorageName
}

resource secretVault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  scope: group
  name: vaultName
}

resource functionApp 'Microsoft.Web/sites@2025-03-01' existing = {
  scope: group
  name: appName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  scope: group
  name: insightsName
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  scope: group
  name: workspaceName
}

resource privateNetwork 'Microsoft.Network/virtualNetworks@2025-05-01' existing = {
  scope: group
  name: networkName

  resource appSubnet 'subnets' existing = {
    name: 'app'
  }
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: {
    name: identityName
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    insightsName: insightsName
    workspaceName: workspaceName
    location: location
    tags: tags
    retentionDays: logRetentionDays
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    name: storageName
    packageName: packageStorageName
    packageContainer: packageContainer
    location: location
    tags: tags
    redundancy: storageRedundancy
    isPublic: !hasNetwork
    eventRetentionDays: eventRetentionDays
    softDeleteDays: softDeleteDays
    auditWorkspaceId: auditLog ? workspace.id : ''
  }
  dependsOn: [monitoring]
}

module roles 'modules/roles.bicep' = {
  scope: group
  params: {
    identityName: identityName
    storageName: storageName
    packageStorageName: packageStorageName
    packageContainer: packageContainer
    insightsName: insightsName
  }
  dependsOn: [identity, storage, monitoring]
}

module vault 'modules/vault.bicep' = if (hasServicePrincipal) {
  scope: group
  params: {
    name: vaultName
    location: location
    tags: tags
    isPublic: !hasNetwork
    identityName: identityName
    workspaceName: workspaceName
  }
  dependsOn: [identity, monitoring]
}

var storageServices = ['blob', 'queue', 'table']
var storageZones = toObject(
  storageServices,
  service => service,
  service => 'privatelink.${service}.${environment().suffixes.storage}'
)
var storageEndpoints = map(storageServices, service => {
  name: service
  service: service
  targetId: storageAccount.id
  zone: storageZones[service]
})
var packageEndpoint = [
  {
    name: 'package'
    service: 'blob'
    targetId: packageAccount.id
    zone: storageZones.blob
  }
]
var purviewEndpoints = empty(purviewAccountId)
  ? []
  : [
      {
        name: 'purview'
        service: 'account'
        targetId: purviewAccountId
        zone: 'privatelink.${hosts.purview}'
      }
    ]
var vaultEndpoints = hasServicePrincipal
  ? [
      {
        name: 'vault'
        service: 'vault'
        targetId: secretVault.id
        zone: hosts.vault
      }
    ]
  : []
var endpoints = hasNetwork ? concat(storageEndpoints, packageEndpoint, purviewEndpoints, vaultEndpoints) : []

module virtualNetwork 'modules/network.bicep' = if (hasNetwork) {
  scope: group
  params: {
    name: networkName
    location: location
    tags: tags
    addressRange: addressRange
    zones: concat(
      map(concat(storageEndpoints, purviewEndpoints, vaultEndpoints), endpoint => endpoint.zone),
      network == 'private' ? [hosts.sites] : []
    )
  }
}

// One after the other: a storage account refuses a second endpoint while it creates the first.
@batchSize(1)
module privateEndpoints 'modules/endpoint.bicep' = [
  for endpoint in endpoints: {
    scope: group
    params: {
      name: 'pe-${endpoint.name}-${token}'
      location: location
      tags: tags
      targetId: endpoint.targetId
      service: endpoint.service
      zone: endpoint.zone
      networkName: networkName
      subnetName: 'endpoints'
    }
    dependsOn: [virtualNetwork, storage, vault]
  }
]

module stream 'modules/eventhub.bicep' = if (eventHub) {
  scope: group
  params: {
    name: eventHubName
    location: location
    tags: tags
    identityName: identityName
    hubName: hubName
    consumerGroupName: consumerGroupName
  }
  dependsOn: [identity]
}

module app 'modules/function.bicep' = {
  scope: group
  params: {
    name: appName
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityName: identityName
    insightsName: insightsName
    storageName: storageName
    packageStorageName: packageStorageName
    packageContainer: packageContainer
    purviewEndpoint: effectiveEndpoint
    settings: settings
    servicePrincipalClientId: servicePrincipalClientId
    servicePrincipalTenantId: empty(servicePrincipalTenantId) ? subscription().tenantId : servicePrincipalTenantId
    vaultName: hasServicePrincipal ? vaultName : ''
    isPublic: network != 'private'
    subnetId: hasNetwork ? privateNetwork::appSubnet.id : ''
    allowedAddresses: allowedAddresses
    eventFolders: eventFolders
    eventHubNamespace: eventHub ? '${eventHubName}.${hosts.eventHubs}' : ''
    hubName: hubName
    consumerGroupName: consumerGroupName
    alwaysReady: alwaysReady
    maximumInstances: maximumInstances
    instanceMemory: instanceMemory
  }
  // The app reads its code from storage: it needs a role, and network access.
  dependsOn: [roles, vault, privateEndpoints, stream]
}

module receiverEndpoint 'modules/endpoint.bicep' = if (network == 'private') {
  scope: group
  params: {
    name: 'pe-receiver-${token}'
    location: location
    tags: tags
    targetId: functionApp.id
    service: 'sites'
    zone: hosts.sites
    networkName: networkName
    subnetName: 'endpoints'
  }
  dependsOn: [app]
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    insightsId: insights.id
    nameSuffix: token
    email: alertEmail
    hasEventGrid: network != 'private'
    hasCollector: !empty(eventFolders)
  }
  dependsOn: [monitoring]
}

// For the scripts. With `azd env get-values` in the environment they are also what the command `sparklin` needs.
output AZURE_RESOURCE_GROUP string = group.name
output FUNCTION_APP_NAME string = appName
output STORAGE_ACCOUNT_NAME string = storageName
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
output VAULT_NAME string = hasServicePrincipal ? vaultName : ''
output EVENT_DELIVERY string = network == 'private' ? 'timer' : 'EventGrid'
output SPARKLIN_RECEIVER string = 'https://${app.outputs.hostName}'
output PURVIEW_ENDPOINT string = effectiveEndpoint
output LINEAGE_STORAGE__blobServiceUri string = 'https://${storageName}.blob.${environment().suffixes.storage}/'
output LINEAGE_STORAGE__queueServiceUri string = 'https://${storageName}.queue.${environment().suffixes.storage}/'
output LINEAGE_STORAGE__tableServiceUri string = 'https://${storageName}.table.${environment().suffixes.storage}/'

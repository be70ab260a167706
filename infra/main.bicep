// Sparklin on Azure, but for the Event Grid subscription: that is events.bicep, and comes after the code.
targetScope = 'subscription'

@description('A short name of this installation, part of all names.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('The region; it must have the plan Flex Consumption.')
param location string

@description('The resource group; made if it is not there.')
param resourceGroupName string = 'rg-${environmentName}'

@description('The name of the Purview account.')
@minLength(3)
param purviewAccountName string

@description('The resource id of the Purview account, for its private endpoint; without it Purview is reached publicly.')
param purviewAccountId string = ''

@description('What the app is told besides: any of these settings, as README.md explains them.')
param settings optionalSettings = {}

@description('none: no network. outbound: storage and Purview by private endpoints. private: the receiver too, without Event Grid.')
@allowed(['none', 'outbound', 'private'])
param network string = 'none'

@description('The addresses of the network, at least a /25.')
param addressRange string = '10.240.0.0/25'

@description('The only addresses that may reach the receiver, as CIDR, besides Event Grid: those of Spark. Empty: all.')
param allowedAddresses string[] = []

// A Python app that has to start first can take longer than the 5 s after which the agent drops its event. An instance
// that is always ready is billed for its memory all day, without a free grant; 0 saves that and accepts the loss.
@description('Instances for HTTP that never stop.')
@minValue(0)
@maxValue(20)
param alwaysReady int = 1

// Each instance works on two new events or two retries at a time (host.json; Flex Consumption scales blob triggers and
// each queue trigger apart), and Purview takes 25 operations a second per capacity unit: more instances would only be
// told to wait. 40 was the least that the plan took; where it takes less, less will do.
@description('The most instances.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

@description('The memory of an instance, in MB. A large event is held several times, so 512 is for small ones only.')
@allowed([512, 2048, 4096])
param instanceMemory int = 2048

// Not less than what the app looks back to: one day more than LINEAGE_WINDOW_DAYS, and 16.
@description('Days after which stored events are deleted; what Purview shows stays.')
@minValue(31)
param eventRetentionDays int = 365

@description('How storage is kept: in one data centre, or in three (not in every region).')
@allowed(['Standard_LRS', 'Standard_ZRS'])
param storageRedundancy string = 'Standard_LRS'

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Who is told by e-mail when an alert fires; empty: nobody, the alerts are in the portal only.')
param alertEmail string = ''

@description('The client id of a service principal for Purview, instead of the app\'s identity; its secret goes into the vault.')
param servicePrincipalClientId string = ''

@description('The tenant of that service principal.')
param servicePrincipalTenantId string = subscription().tenantId

@sealed()
type optionalSettings = {
  PURVIEW_COLLECTION: string?
  PURVIEW_COLLECTIONS: string?
  MAX_BODY_BYTES: string?
  MAX_EXPANDED_BYTES: string?
  STORAGE_BUDGET_SECONDS: string?
  ALLOW_OPERATIONS: string?
  EXCLUDE_JOBS: string?
  EXCLUDE_DATASETS: string?
  APPLICATION_NAME_TAILS: string?
  LINEAGE_WINDOW_DAYS: string?
  UPLOAD_REFRESH_DAYS: string?
  SETTLE_AFTER_MINUTES: string?
  SWEEP_AFTER_MINUTES: string?
  RETRY_FIRST_DELAY_SECONDS: string?
  RETRY_MAX_DELAY_SECONDS: string?
  RETRY_GIVE_UP_HOURS: string?
  MAX_CONCURRENT_UPLOADS: string?
  NAME_RULES_FILE: string?
  HIVE_CLUSTER: string?
  ONELAKE_IDS: string?
  METASTORE_IDS: string?
  SQL_KINDS: string?
  PROCESS_NAMING: string?
  DATABRICKS_TASKS: string?
}

var token = toLower(uniqueString(subscription().id, environmentName, location))
var storageName = 'st${token}'
var insightsName = 'appi-${token}'
var identityName = 'id-${token}'
var tags = { 'azd-env-name': environmentName }
var hasNetwork = network != 'none'
var hasServicePrincipal = !empty(servicePrincipalClientId)
var purviewEndpoint = 'https://${purviewAccountName}.purview.azure.com'

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: resourceGroupName
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: identityName
    location: location
    tags: tags
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: storageName
    location: location
    tags: tags
    redundancy: storageRedundancy
    isPublic: !hasNetwork
    eventRetentionDays: eventRetentionDays
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    insightsName: insightsName
    workspaceName: 'log-${token}'
    location: location
    tags: tags
    retentionDays: logRetentionDays
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    storageName: storage.outputs.name
    insightsName: monitoring.outputs.insightsName
    principalId: identity.outputs.principalId
  }
}

module vault 'modules/vault.bicep' = if (hasServicePrincipal) {
  name: 'vault'
  scope: group
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    isPublic: !hasNetwork
    principalId: identity.outputs.principalId
  }
}

module virtualNetwork 'modules/network.bicep' = if (hasNetwork) {
  name: 'network'
  scope: group
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
    addressRange: addressRange
  }
}

module storageEndpoints 'modules/endpoint.bicep' = [for service in (hasNetwork ? ['blob', 'queue', 'table'] : []): {
  name: 'endpoint-${service}'
  scope: group
  params: {
    name: 'pe-${service}-${token}'
    location: location
    tags: tags
    targetId: storage.outputs.id
    service: service
    zone: 'privatelink.${service}.${environment().suffixes.storage}'
    networkId: virtualNetwork!.outputs.id
    subnetId: virtualNetwork!.outputs.endpointSubnetId
  }
}]

module purviewPrivate 'modules/endpoint.bicep' = if (hasNetwork && !empty(purviewAccountId)) {
  name: 'endpoint-purview'
  scope: group
  params: {
    name: 'pe-purview-${token}'
    location: location
    tags: tags
    targetId: purviewAccountId
    service: 'account'
    zone: 'privatelink.purview.azure.com'
    networkId: virtualNetwork!.outputs.id
    subnetId: virtualNetwork!.outputs.endpointSubnetId
  }
}

module vaultPrivate 'modules/endpoint.bicep' = if (hasNetwork && hasServicePrincipal) {
  name: 'endpoint-vault'
  scope: group
  params: {
    name: 'pe-vault-${token}'
    location: location
    tags: tags
    targetId: vault!.outputs.id
    service: 'vault'
    zone: 'privatelink.vaultcore.azure.net'
    networkId: virtualNetwork!.outputs.id
    subnetId: virtualNetwork!.outputs.endpointSubnetId
  }
}

module receiverPrivate 'modules/endpoint.bicep' = if (network == 'private') {
  name: 'endpoint-receiver'
  scope: group
  params: {
    name: 'pe-receiver-${token}'
    location: location
    tags: tags
    targetId: app.outputs.id
    service: 'sites'
    zone: 'privatelink.azurewebsites.net'
    networkId: virtualNetwork!.outputs.id
    subnetId: virtualNetwork!.outputs.endpointSubnetId
  }
}

module app 'modules/function.bicep' = {
  name: 'function'
  scope: group
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityName: identity.outputs.name
    insightsName: monitoring.outputs.insightsName
    storageName: storage.outputs.name
    deploymentContainer: storage.outputs.deploymentContainer
    purviewEndpoint: purviewEndpoint
    settings: settings
    servicePrincipalClientId: servicePrincipalClientId
    servicePrincipalTenantId: servicePrincipalTenantId
    vaultUri: hasServicePrincipal ? vault!.outputs.uri : ''
    isPublic: network != 'private'
    subnetId: hasNetwork ? virtualNetwork!.outputs.appSubnetId : ''
    allowedAddresses: allowedAddresses
    alwaysReady: alwaysReady
    maximumInstances: maximumInstances
    instanceMemory: instanceMemory
  }
  // The app takes its code from storage: it must be allowed to, and reach it.
  dependsOn: [roles, storageEndpoints]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    insightsId: monitoring.outputs.insightsId
    nameSuffix: token
    email: alertEmail
  }
}

// For the scripts. With `azd env get-values` in the environment they are also what the command `sparklin` needs.
output AZURE_RESOURCE_GROUP string = group.name
output FUNCTION_APP_NAME string = app.outputs.name
output STORAGE_ACCOUNT_NAME string = storage.outputs.name
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
output EVENT_DELIVERY string = network == 'private' ? 'timer' : 'EventGrid'
output SPARKLIN_RECEIVER string = 'https://${app.outputs.hostName}'
output PURVIEW_ENDPOINT string = purviewEndpoint
output LINEAGE_STORAGE__blobServiceUri string = storage.outputs.blobUri
output LINEAGE_STORAGE__queueServiceUri string = storage.outputs.queueUri
output LINEAGE_STORAGE__tableServiceUri string = storage.outputs.tableUri

// The function app on Flex Consumption, and all its settings.
import { optionalSettings, resourceTags } from 'types.bicep'

param name string
param planName string
param location string
param tags resourceTags
param identityName string
param insightsName string

@description('The account of events, lineage and the Functions host.')
param storageName string

@description('The account of the app\'s code, and the container in it.')
param packageStorageName string
param packageContainer string

param purviewEndpoint string

@description('Settings in addition to those below.')
param settings optionalSettings

@description('The client id of a service principal for Purview; empty: the app\'s identity.')
param servicePrincipalClientId string

param servicePrincipalTenantId string

@description('The vault with the secret of the service principal; empty without one.')
param vaultName string

@description('Whether the receiver can be reached from outside the network.')
param isPublic bool

@description('The id of the subnet from which the app sends; empty: none.')
param subnetId string

@description('The only addresses that may reach the receiver in addition to Event Grid; empty: all.')
param allowedAddresses string[]

@description('Folders whose event files are collected.')
param eventFolders string[]

@description('The address of the namespace of the event hub; empty: none.')
param eventHubNamespace string

param hubName string
param consumerGroupName string

param alwaysReady int
param maximumInstances int
param instanceMemory int

// By default, Flex Consumption gives each request of a Python app an instance of its own. Storing an event is waiting.
var httpConcurrency = 16

var storageConnection = {
  blobServiceUri: 'https://${storageName}.blob.${environment().suffixes.storage}/'
  queueServiceUri: 'https://${storageName}.queue.${environment().suffixes.storage}/'
  tableServiceUri: 'https://${storageName}.table.${environment().suffixes.storage}/'
}

var hostSettings = {
  AzureWebJobsStorage__blobServiceUri: storageConnection.blobServiceUri
  AzureWebJobsStorage__queueServiceUri: storageConnection.queueServiceUri
  AzureWebJobsStorage__tableServiceUri: storageConnection.tableServiceUri
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.properties.clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
  // Without it requests would wait for one of five threads; function_app.py makes the worker use it.
  PYTHON_THREADPOOL_THREAD_COUNT: string(httpConcurrency)
}

var ownSettings = {
  LINEAGE_STORAGE__blobServiceUri: storageConnection.blobServiceUri
  LINEAGE_STORAGE__queueServiceUri: storageConnection.queueServiceUri
  LINEAGE_STORAGE__tableServiceUri: storageConnection.tableServiceUri
  LINEAGE_STORAGE__credential: 'managedidentity'
  LINEAGE_STORAGE__clientId: identity.properties.clientId
  PURVIEW_ENDPOINT: purviewEndpoint
}

var folderSettings = empty(eventFolders) ? {} : { EVENT_FOLDERS: join(eventFolders, ' ') }
var hubSettings = empty(eventHubNamespace)
  ? {}
  : {
      EVENT_HUB: hubName
      EVENT_HUB_CONSUMER_GROUP: consumerGroupName
      EVENT_HUB_CONNECTION__fullyQualifiedNamespace: eventHubNamespace
      EVENT_HUB_CONNECTION__credential: 'managedidentity'
      EVENT_HUB_CONNECTION__clientId: identity.properties.clientId
    }
// Event Grid cannot deliver into a private network, so the receiver reports events itself. By default, an idle queue
// is polled up to a minute apart.
var queueSettings = isPublic
  ? {}
  : {
      QUEUE_NOTIFICATIONS: 'true'
      AzureFunctionsJobHost__extensions__queues__maxPollingInterval: '00:00:05'
    }

// Read by azure.identity.DefaultAzureCredential, for Purview only.
var credentialSettings = empty(servicePrincipalClientId)
  ? { AZURE_CLIENT_ID: identity.properties.clientId }
  : {
      AZURE_AUTHORITY_HOST: environment().authentication.loginEndpoint
      AZURE_TENANT_ID: servicePrincipalTenantId
      AZURE_CLIENT_ID: servicePrincipalClientId
      AZURE_CLIENT_SECRET: '@Microsoft.KeyVault(SecretUri=https://${vaultName}${environment().suffixes.keyvaultDns}/secrets/purview-client-secret)'
    }

var eventGridAccess = [
  {
    name: 'EventGrid'
    action: 'Allow'
    priority: 100
    tag: 'ServiceTag'
    ipAddress: 'AzureEventGrid'
  }
]
var sparkAccess = [
  for (range, index) in allowedAddresses: {
    name: 'Spark${index}'
    action: 'Allow'
    priority: 200 + index
    ipAddress: range
  }
]
var isRestricted = !empty(allowedAddresses)

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'sparklin' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    keyVaultReferenceIdentity: identity.id
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: 'https://${packageStorageName}.blob.${environment().suffixes.storage}/${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: {
        maximumInstanceCount: maximumInstances
        instanceMemoryMB: instanceMemory
        alwaysReady: alwaysReady > 0 ? [{ name: 'http', instanceCount: alwaysReady }] : []
        triggers: {
          http: { perInstanceConcurrency: httpConcurrency }
        }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ipSecurityRestrictionsDefaultAction: isRestricted ? 'Deny' : 'Allow'
      ipSecurityRestrictions: isRestricted ? concat(eventGridAccess, sparkAccess) : []
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(
      hostSettings,
      ownSettings,
      folderSettings,
      hubSettings,
      queueSettings,
      credentialSettings,
      settings
    )
  }

  // Code is deployed with a Microsoft Entra token; there is no user name and password for it.
  resource scmPassword 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource ftpPassword 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }
}

output hostName string = app.properties.defaultHostName

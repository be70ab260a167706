// An event hub for agents with transport kafka, and the app's role to receive from it.
import { resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags
param identityName string

@description('The hub, which is the topic of the agents, and the consumer group of the app.')
param hubName string
param consumerGroupName string

var receiver = 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

// Standard is the lowest tier with Kafka. Agents sign in with a connection string, which has the right Send only.
resource namespace 'Microsoft.EventHub/namespaces@2026-01-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: 'Standard', tier: 'Standard', capacity: 1 }
  properties: {
    minimumTlsVersion: '1.2'
    isAutoInflateEnabled: true
    maximumThroughputUnits: 4
  }

  resource hub 'eventhubs' = {
    name: hubName
    properties: {
      partitionCount: 4
      retentionDescription: { cleanupPolicy: 'Delete', retentionTimeInHours: 168 }
    }

    resource group 'consumergroups' = {
      name: consumerGroupName
    }

    resource senders 'authorizationRules' = {
      name: 'spark'
      properties: { rights: ['Send'] }
    }
  }
}

resource onHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace::hub.id, identity.id, receiver)
  scope: namespace::hub
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', receiver)
  }
}

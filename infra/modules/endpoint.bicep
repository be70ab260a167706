// A private endpoint of one service, with its entry in the DNS zone.
import { resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags

@description('The resource that is reached through it.')
param targetId string

@description('Which part of the resource: blob, queue, table, account, vault, sites.')
param service string

@description('The private DNS zone of such services.')
param zone string

param networkName string
param subnetName string

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' existing = {
  name: networkName

  resource subnet 'subnets' existing = {
    name: subnetName
  }
}

resource dnsZone 'Microsoft.Network/privateDnsZones@2024-06-01' existing = {
  name: zone
}

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: network::subnet.id }
    privateLinkServiceConnections: [
      {
        name: name
        properties: {
          privateLinkServiceId: targetId
          groupIds: [service]
        }
      }
    ]
  }

  resource dns 'privateDnsZoneGroups' = {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: service
          properties: { privateDnsZoneId: dnsZone.id }
        }
      ]
    }
  }
}

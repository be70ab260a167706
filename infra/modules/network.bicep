// A network of two subnets, one from which the app sends and one for private endpoints, and the DNS zones by which the
// network finds these endpoints.
import { resourceTags } from 'types.bicep'

param name string
param location string
param tags resourceTags

@description('At least a /25.')
param addressRange string

@description('The private DNS zones.')
param zones string[]

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressRange] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressRange, 26, 0)
          // Flex Consumption runs on container apps; at least a /27.
          delegations: [
            {
              name: 'app'
              properties: { serviceName: 'Microsoft.App/environments' }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressRange, 27, 2)
        }
      }
    ]
  }
}

resource privateZones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in zones: {
    name: zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, index) in zones: {
    parent: privateZones[index]
    name: uniqueString(network.id)
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

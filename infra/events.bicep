// The second step: Event Grid tells the app of stored events. It needs the key blobs_extension, which the app makes when
// its code first starts, and an app that answers: Event Grid asks it whether it wants the events.
param functionAppName string
param storageAccountName string

@description('That of the storage account.')
param location string = resourceGroup().location

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: functionAppName
}

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageAccountName
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-${storageAccountName}'
  location: location
  properties: {
    source: storage.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }

  resource stored 'eventSubscriptions' = {
    name: 'stored-events'
    properties: {
      eventDeliverySchema: 'EventGridSchema'
      destination: {
        endpointType: 'WebHook'
        properties: {
          endpointUrl: 'https://${app.properties.defaultHostName}/runtime/webhooks/blobs?functionName=Host.Functions.parse&code=${listKeys('${app.id}/host/default', '2025-03-01').systemKeys.blobs_extension}'
        }
      }
      // The trigger gets whatever is sent, so that only events of ours may be.
      filter: {
        includedEventTypes: ['Microsoft.Storage.BlobCreated']
        subjectBeginsWith: '/blobServices/default/containers/openlineage/blobs/runs/'
        subjectEndsWith: '.json'
      }
      // What is not delivered within a day, the app's timer has long found: no dead letters are needed here.
      retryPolicy: {
        maxDeliveryAttempts: 30
        eventTimeToLiveInMinutes: 1440
      }
    }
  }
}

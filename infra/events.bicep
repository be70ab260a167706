// The second step: Event Grid reports stored events to the app. It needs the key blobs_extension, which the app creates
// when its code first starts, and an app that answers: Event Grid asks it whether it wants the events.
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
      // The trigger gets every event that is sent, so the filter must pass the app's events only.
      filter: {
        includedEventTypes: ['Microsoft.Storage.BlobCreated']
        subjectBeginsWith: '/blobServices/default/containers/openlineage/blobs/runs/'
        subjectEndsWith: '.json'
      }
      // The app's timer finds events that are not delivered within a day long before: no dead letters are needed here.
      retryPolicy: {
        maxDeliveryAttempts: 30
        eventTimeToLiveInMinutes: 1440
      }
    }
  }
}

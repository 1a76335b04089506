/** The VideoUploader alone, with storage as the local hub names it. */
export function uploaderDeployment(env: Readonly<Record<string, string>>, desired: Readonly<Record<string, unknown>>) {
  const named = { IOTHUB_DEVICE_CONNECTION_STRING: '', BLOB_STORAGE_ACCOUNT_KEY: '', ...env };
  const volumes = ['VideoUploaderCache:/app/VideoUploaderCache', 'VideoUploaderState:/var/lib/vantage'];
  return {
    modulesContent: {
      $edgeAgent: {
        'properties.desired': {
          schemaVersion: '1.1',
          runtime: { type: 'docker', settings: {} },
          systemModules: {},
          modules: {
            VideoUploader: {
              ...{ type: 'docker', status: 'running', restartPolicy: 'always' },
              settings: {
                image: 'vantage/videouploader:0.1.0-amd64',
                createOptions: JSON.stringify({ HostConfig: { Binds: volumes } }),
              },
              env: Object.fromEntries(Object.entries(named).map(([name, value]) => [name, { value }])),
            },
          },
        },
      },
      $edgeHub: {
        'properties.desired': {
          schemaVersion: '1.2',
          routes: { up: 'FROM /messages/modules/VideoUploader/outputs/* INTO $upstream' },
          storeAndForwardConfiguration: { timeToLiveSecs: 7200 },
        },
      },
      VideoUploader: { 'properties.desired': desired },
    },
  };
}

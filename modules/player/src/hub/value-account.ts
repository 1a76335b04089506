import { TwinValues, hasAccountKey, type Hub, type ValueAccount } from '@vantage/hub';

const LOOPBACK = /(?:^|;)\s*(?:BlobEndpoint=https?:\/\/(?:127\.|localhost[:/]|\[::1\])|UseDevelopmentStorage=true)/i;

/** A storage account through which large things go to a device: its key signs their addresses, and the device reaches it. */
export function handsOver(access: string | undefined, isSameMachine: boolean): access is string {
  return access !== undefined && hasAccountKey(access) && (isSameMachine || !LOOPBACK.test(access));
}

/** Where large values of twins go. */
export function valueAccount(access: string | undefined, hub: Hub): ValueAccount & { readonly isThere: boolean } {
  const isThere = handsOver(access, hub.name === 'local');
  return {
    isThere,
    find: async () => (handsOver(access, hub.name === 'local') ? TwinValues.open(access) : undefined),
    way: 'start the Player with PLAYER_STORAGE, a connection string with an account key, which the device reaches',
  };
}

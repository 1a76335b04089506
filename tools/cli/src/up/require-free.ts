import { VantageError } from '@vantage/contracts';
import { requireFreeStateFolder } from '@vantage/local-edge';

/** @throws VantageError EDGE_STATE_IN_USE, which says what to do about it here */
export async function requireFree(stateDir: string): Promise<void> {
  try {
    await requireFreeStateFolder(stateDir);
  } catch (error) {
    if (!VantageError.is(error) || error.code !== 'EDGE_STATE_IN_USE') throw error;
    const { code } = error;
    const way = '"vantage down" ends it, --state names another folder';
    throw new VantageError(code, `${error.message}; ${way}`, { cause: error });
  }
}

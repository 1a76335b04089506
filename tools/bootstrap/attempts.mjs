import { jest } from '@jest/globals';

// A machine that stands still for a while fails whatever waits just then. The closing line names each test that needed this.
const more = Number(process.env.VANTAGE_TEST_ATTEMPTS ?? 1) - 1;
if (more > 0) jest.retryTimes(more, { logErrorsBeforeRetry: true });

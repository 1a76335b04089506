/** Ends a test run with one plain line that any CI can read: "N passed, N failed, N skipped"; before it, what passed only later. */
export default class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const brokenSuites = results.testResults.filter((suite) => suite.testExecError).length;
    const skipped = results.numPendingTests + results.numTodoTests;
    for (const { name, attempts } of passedLate(results)) console.log(`passed at attempt ${attempts} only: ${name}`);
    console.log(
      `\n${results.numPassedTests} passed, ${results.numFailedTests + brokenSuites} failed, ${skipped} skipped`,
    );
  }
}

function passedLate({ testResults }) {
  return testResults.flatMap(({ testFilePath, testResults: tests }) =>
    tests
      .filter(({ status, invocations }) => status === 'passed' && invocations > 1)
      .map(({ fullName, invocations }) => ({ name: `${testFilePath}: ${fullName}`, attempts: invocations })),
  );
}

/** Ends a test run with one plain line that any CI can read: "N passed, N failed, N skipped". */
export default class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const brokenSuites = results.testResults.filter((suite) => suite.testExecError).length;
    const skipped = results.numPendingTests + results.numTodoTests;
    console.log(
      `\n${results.numPassedTests} passed, ${results.numFailedTests + brokenSuites} failed, ${skipped} skipped`,
    );
  }
}

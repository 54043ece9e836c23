// Adds up what the test runs under a directory reported (TRX files), and prints it as one line.
// usage: count-tests.mjs DIRECTORY   exit code 1 when a test failed, or none ran
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const directory = process.argv[2];
const total = { passed: 0, failed: 0, skipped: 0 };
for (const name of readdirSync(directory).filter((n) => n.endsWith('.trx'))) {
  const text = readFileSync(join(directory, name), 'utf8');
  for (const [, outcome] of text.matchAll(/<UnitTestResult\b[^>]*\boutcome="(\w+)"/g)) {
    if (outcome === 'Passed') total.passed++;
    else if (outcome === 'NotExecuted') total.skipped++;
    else total.failed++;
  }
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);

// Adds up what the test runs under a directory reported (TRX files), and prints it as one line.
// What failed is printed above it, with its reason. usage: count-tests.mjs DIRECTORY
// exit code 1 when a test failed, or none ran
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const directory = process.argv[2];
const total = { passed: 0, failed: 0, skipped: 0 };
for (const name of readdirSync(directory).filter((n) => n.endsWith('.trx'))) {
  const text = readFileSync(join(directory, name), 'utf8');
  for (const [, attributes, body] of text.matchAll(/<UnitTestResult\b([^>]*?)(?:\/>|>([^]*?)<\/UnitTestResult>)/g)) {
    const outcome = /\boutcome="(\w+)"/.exec(attributes)?.[1];
    if (outcome === 'Passed') total.passed++;
    else if (outcome === 'NotExecuted') total.skipped++;
    else {
      total.failed++;
      console.log(`\nFAILED ${unescape(/\btestName="([^"]*)"/.exec(attributes)?.[1] ?? '?')}`);
      for (const part of ['Message', 'StackTrace'])
        console.log(unescape(new RegExp(`<${part}>([^]*?)</${part}>`).exec(body ?? '')?.[1] ?? '').slice(0, 4000));
    }
  }
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);

function unescape(text) {
  const named = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (all, hex, decimal, name) =>
    hex ? String.fromCodePoint(parseInt(hex, 16)) : decimal ? String.fromCodePoint(Number(decimal)) : named[name] ?? all);
}

// Serves one file on a free port of 127.0.0.1, with ranges, and prints its address.
// usage: serve-file.mjs FILE
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename } from 'node:path';

const file = process.argv[2];
const { size, mtimeMs } = statSync(file);
const etag = `"${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}"`;

const server = createServer((request, response) => {
  const headers = { 'Accept-Ranges': 'bytes', 'Content-Type': 'application/x-iso9660-image', ETag: etag };
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const current = !request.headers['if-range'] || request.headers['if-range'] === etag;
  const start = range && current ? Number(range[1]) : 0;
  const end = range && current && range[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
  if (start > end) {
    response.writeHead(416, { ...headers, 'Content-Range': `bytes */${size}` }).end();
    return;
  }
  headers['Content-Length'] = end - start + 1;
  if (range && current) headers['Content-Range'] = `bytes ${start}-${end}/${size}`;
  response.writeHead(range && current ? 206 : 200, headers);
  if (request.method === 'HEAD') response.end();
  else createReadStream(file, { start, end }).pipe(response);
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/${encodeURIComponent(basename(file))}`));

// Runs Google's own engine of GoogleSQL and asks it what standard input says, one JSON object a line:
//   {"tables": [{"name", "columns": [[name, type], …], "rows": [[value, …], …]}, …]}   first, and again for other data
//   {"sql", "params": [{"name", "type", "value"}, …]}
// Answers in the same order, one line each: {"rows": [[text or null, …], …]} or {"error": text}. Types are those of
// GoogleSQL, `ARRAY<…>` for lists; values are texts, but for lists of them, booleans and null.
'use strict';
const { spawn } = require('node:child_process');
const net = require('node:net');
const path = require('node:path');
const readline = require('node:readline');

const modules = process.argv[2];
const load = (name) => require(path.join(modules, name));
const grpc = load('@grpc/grpc-js');
const loader = load('@grpc/proto-loader');
const home = path.join(modules, '@fivetrandevelopers/zetasql/lib/zetasql');

const KINDS = {
  INT64: 'TYPE_INT64', STRING: 'TYPE_STRING', BOOL: 'TYPE_BOOL', TIMESTAMP: 'TYPE_TIMESTAMP',
  BIGNUMERIC: 'TYPE_BIGNUMERIC', NUMERIC: 'TYPE_NUMERIC', JSON: 'TYPE_JSON', FLOAT64: 'TYPE_DOUBLE',
};
const PLACES = { NUMERIC: 9, BIGNUMERIC: 38 };
const element = (type) => /^ARRAY<(.*)>$/.exec(type)?.[1];

function typeOf(type) {
  const of = element(type);
  return of ? { typeKind: 'TYPE_ARRAY', arrayType: { elementType: typeOf(of) } } : { typeKind: KINDS[type] };
}

// A decimal as the engine keeps it: a whole number of the smallest unit, in two's complement, lowest byte first.
function decimal(text, places) {
  const [, sign, whole, part = '', exponent = '0'] = /^(-?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
  const digits = whole + part;
  const zeros = places - part.length + Number(exponent);
  let number = zeros >= 0 ? BigInt(digits + '0'.repeat(zeros)) : BigInt(digits.slice(0, zeros) || '0');
  if (sign) number = -number;
  const bytes = [];
  for (;;) {
    const byte = Number(BigInt.asUintN(8, number));
    bytes.push(byte);
    number >>= 8n;
    if ((number === 0n && byte < 128) || (number === -1n && byte >= 128)) return Buffer.from(bytes);
  }
}

function valueOf(type, value) {
  if (value === null) return {};
  const of = element(type);
  if (of) return { arrayValue: { element: value.map((item) => valueOf(of, item)) } };
  switch (type) {
    case 'INT64': return { int64Value: value };
    case 'STRING': return { stringValue: value };
    case 'BOOL': return { boolValue: value };
    case 'JSON': return { jsonValue: value };
    case 'FLOAT64': return { doubleValue: Number(value) };
    case 'NUMERIC': return { numericValue: decimal(value, PLACES.NUMERIC) };
    case 'BIGNUMERIC': return { bignumericValue: decimal(value, PLACES.BIGNUMERIC) };
    case 'TIMESTAMP': {
      const [, seconds, part = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(value);
      const nanos = Number(part.padEnd(9, '0'));
      return { timestampValue: { seconds: String(Date.parse(`${seconds}Z`) / 1000), nanos } };
    }
    default: throw new Error(`no type ${type}`);
  }
}

const text = (cell) => {
  const kind = cell.value;
  return kind ? String(cell[kind]) : null;
};

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((ready) => server.once('listening', ready));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

async function main() {
  const port = await freePort();
  const engine = spawn(path.join(home, 'remote_server.so'), ['localhost', String(port)], { stdio: 'ignore' });
  process.on('exit', () => engine.kill('SIGKILL'));
  const types = loader.loadSync('local_service.proto', {
    longs: String, enums: String, oneofs: true, includeDirs: [path.join(home, 'protos')],
  });
  const Service = grpc.loadPackageDefinition(types).zetasql.local_service.ZetaSqlLocalService;
  const limit = { 'grpc.max_send_message_length': -1, 'grpc.max_receive_message_length': -1 };
  const service = new Service(`localhost:${port}`, grpc.credentials.createInsecure(), limit);
  const call = (name, request) => new Promise((done, failed) => {
    service[name](request, (error, answer) => (error ? failed(error) : done(answer)));
  });
  await new Promise((ready, failed) => {
    service.waitForReady(Date.now() + 60_000, (error) => (error ? failed(error) : ready()));
  });
  const languageOptions = await call('GetLanguageOptions', { maximumFeatures: true });
  languageOptions.productMode = 'PRODUCT_EXTERNAL';
  let catalog;

  async function register(tables) {
    if (catalog) await call('UnregisterCatalog', { registeredId: catalog });
    const simpleCatalog = {
      name: 'w',
      builtinFunctionOptions: { languageOptions },
      table: tables.map(({ name, columns }, index) => ({
        name,
        serializationId: index + 1,
        column: columns.map(([column, type]) => ({ name: column, type: typeOf(type) })),
      })),
    };
    const tableContent = {};
    for (const { name, columns, rows } of tables) {
      const row = rows.map((cells) => ({ cell: cells.map((cell, at) => valueOf(columns[at][1], cell)) }));
      tableContent[name] = { tableData: { row } };
    }
    ({ registeredId: catalog } = await call('RegisterCatalog', { simpleCatalog, tableContent }));
    return { rows: [] };
  }

  async function evaluate(sql, params) {
    const options = {
      languageOptions,
      errorMessageMode: 'ERROR_MESSAGE_ONE_LINE',
      defaultTimezone: 'UTC',
      queryParameters: params.map(({ name, type }) => ({ name, type: typeOf(type) })),
    };
    const answer = await call('EvaluateQuery', {
      sql,
      options,
      registeredCatalogId: catalog,
      params: params.map(({ name, type, value }) => ({ name, value: valueOf(type, value) })),
    });
    const rows = answer.content?.tableData?.row ?? [];
    return { rows: rows.map(({ cell = [] }) => cell.map(text)) };
  }

  // Queries run beside each other; answers keep the order of the lines.
  let last = Promise.resolve();
  const under_way = new Set();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { tables, sql, params } = JSON.parse(line);
    if (tables) await last;
    const asked = (tables ? register(tables) : evaluate(sql, params)).catch((error) => ({
      error: error.details ?? error.message,
    }));
    under_way.add(asked);
    asked.then(() => under_way.delete(asked));
    last = Promise.all([last, asked]).then(([, answer]) => process.stdout.write(`${JSON.stringify(answer)}\n`));
    if (tables) await last;
    if (under_way.size >= 8) await Promise.race(under_way);
  }
  await last;
  service.close();
  process.exit(0);
}

main().catch((error) => {
  console.error(`googlesql-engine: ${error.message}`);
  process.exit(1);
});

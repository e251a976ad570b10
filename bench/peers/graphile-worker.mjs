// How late jobs of graphile-worker are: arguments are their number and how many are due in a second.
import { run, makeWorkerUtils } from "graphile-worker";

const [jobs, rate] = process.argv.slice(2).map(Number);
const connectionString = process.env.DATABASE_URL;
const schema = "peer_graphile";
const late = [];
let done;
const all = new Promise((resolve) => (done = resolve));
const utils = await makeWorkerUtils({ connectionString, schema });
await utils.migrate();
const first = Date.now() + 5_000 + jobs;
const specs = Array.from({ length: jobs }, (_, n) => {
  const due = first + Math.floor((n * 1_000) / rate);
  return { identifier: "due", payload: { due }, runAt: new Date(due) };
});
for (let n = 0; n < jobs; n += 1_000) await utils.addJobs(specs.slice(n, n + 1_000));
const runner = await run({
  connectionString,
  schema,
  concurrency: 10,
  pollInterval: 100,
  noHandleSignals: true,
  logger: undefined,
  taskList: {
    due: async ({ due }) => {
      late.push(Date.now() - due);
      if (late.length === jobs) done();
    },
  },
});
await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 120_000))]);
await runner.stop();
await utils.release();
process.stdout.write("\n" + JSON.stringify({ late }), () => process.exit(0));

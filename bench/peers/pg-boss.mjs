// How late jobs of pg-boss are: arguments are their number and how many are due in a second.
import { PgBoss } from "pg-boss";

const [jobs, rate] = process.argv.slice(2).map(Number);
const boss = new PgBoss({ connectionString: process.env.DATABASE_URL, schema: "peer_pgboss" });
boss.on("error", (error) => console.error(error.message));
await boss.start();
const queue = `due${rate}`;
await boss.createQueue(queue);
const late = [];
let done;
const all = new Promise((resolve) => (done = resolve));
const first = Date.now() + 5_000 + jobs;
const specs = Array.from({ length: jobs }, (_, n) => {
  const due = first + Math.floor((n * 1_000) / rate);
  return { data: { due }, startAfter: new Date(due) };
});
for (let n = 0; n < jobs; n += 1_000) await boss.insert(queue, specs.slice(n, n + 1_000));
await boss.work(queue, { batchSize: 500, pollingIntervalSeconds: 0.5 }, async (batch) => {
  for (const job of batch) late.push(Date.now() - job.data.due);
  if (late.length >= jobs) done();
});
await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 120_000))]);
await boss.stop({ graceful: false });
process.stdout.write("\n" + JSON.stringify({ late }), () => process.exit(0));

// How late jobs of BullMQ are: arguments are their number and how many are due in a second. Needs redis-server.
import { spawn, spawnSync } from "node:child_process";

const [jobs, rate] = process.argv.slice(2).map(Number);
if (spawnSync("redis-server", ["--version"]).status !== 0) {
  process.stdout.write(JSON.stringify({ left_out: "there is no redis-server" }), () => process.exit(0));
} else {
  const port = 16_379;
  const redis = spawn("redis-server", ["--port", String(port), "--save", "", "--appendonly", "yes", "--dir", "/tmp"], {
    stdio: "ignore",
  });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const { Queue, Worker } = await import("bullmq");
  const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };
  const queue = new Queue("due", { connection });
  const late = [];
  let done;
  const all = new Promise((resolve) => (done = resolve));
  const first = Date.now() + 5_000 + jobs;
  const specs = Array.from({ length: jobs }, (_, n) => {
    const due = first + Math.floor((n * 1_000) / rate);
    return { due };
  });
  for (let n = 0; n < jobs; n += 1_000) {
    const part = specs.slice(n, n + 1_000);
    await queue.addBulk(part.map((data) => ({ name: "due", data, opts: { delay: Math.max(data.due - Date.now(), 0) } })));
  }
  const worker = new Worker(
    "due",
    async (job) => {
      late.push(Date.now() - job.data.due);
      if (late.length === jobs) done();
    },
    { connection, concurrency: 50 },
  );
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 120_000))]);
  await worker.close(true);
  await queue.close();
  redis.kill("SIGKILL");
  process.stdout.write("\n" + JSON.stringify({ late }), () => process.exit(0));
}

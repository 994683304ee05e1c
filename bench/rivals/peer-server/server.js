// PeerServer as one embeds it. All is as by default, but for the number of connections, which is given.
import { PeerServer } from 'peer';

const concurrent_limit = Number(process.argv[2]);

PeerServer({ host: '127.0.0.1', port: 0, concurrent_limit }, (server) => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

// Whoever started this is gone.
process.stdin.on('end', () => process.exit()).resume();

const net = require("net");
const NodeMediaServer = require("node-media-server");

// It listens on all addresses and has no option for it.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, typeof port === "number" ? { port, host: "127.0.0.1" } : port, ...rest);
};
const rtmp = { port: Number(process.argv[2]), chunk_size: 60000, gop_cache: true, ping: 30, ping_timeout: 60 };
new NodeMediaServer({ logType: 1, rtmp }).run();

#include "daemon/daemon.h"

#include "aws/dispatcher.h"
#include "core/log.h"
#include "core/random.h"
#include "core/version.h"
#include "daemon/front.h"
#include "daemon/instance.h"
#include "http/server.h"
#include "iam/sts_api.h"
#include "io/signals.h"
#include "logs/logs.h"
#include "store/open.h"
#include "vpc/addresses.h"
#include "vpc/ec2_api.h"

namespace sampan::daemon {
namespace {

constexpr std::chrono::seconds kStopGrace{5};

}  // namespace

// In the order they are built; destroyed in reverse.
struct Daemon::Parts {
  explicit Parts(const Options& options);

  InstanceLock lock;
  core::SystemClock clock;
  core::SystemIdSource ids;
  io::Executors executors;
  std::unique_ptr<store::Store> store;
  iam::Keys keys;
  iam::Sessions sessions;
  iam::StsApi sts;
  vpc::Topology topology;
  vpc::Addresses addresses;
  vpc::Ec2Api ec2;
  logs::Logs logs;
  aws::Dispatcher dispatcher;
  Front front;
  http::Server server;
};

Daemon::Parts::Parts(const Options& options)
    : lock(options),
      store(store::open_store(options.store, options.data_dir, executors)),
      keys(options.open_auth ? iam::Mode::kOpen : iam::Mode::kVerified, options.account,
           iam::load_or_make_root_key(options.data_dir, ids)),
      sessions(*store, keys, clock, ids),
      sts(keys, sessions),
      topology(*store, clock, ids, {options.account, options.region, options.vpc_cidr}),
      addresses(topology),
      ec2(topology),
      logs(executors, *store, ids, clock, options.data_dir),
      dispatcher(executors, keys, clock, ids, {.default_region = options.region}),
      front({.aws = &dispatcher}, keys, clock),
      server(executors, [this](http::Request& request, http::BodyReader& body) { return front.handle(request, body); }) {
  for (aws::AnyService* service : std::initializer_list<aws::AnyService*>{&sts, &ec2, &logs.api()}) dispatcher.add(*service);
}

Daemon::Daemon(Options options) : options_(std::move(options)) {
  require_privilege();
  parts_ = std::make_unique<Parts>(options_);
  parts_->server.listen(options_.listen_address, options_.listen_port);
}

Daemon::~Daemon() = default;

void Daemon::run() {
  auto& parts = *parts_;
  parts.lock.write_pid();
  core::log::info("sampand {} listens on {}:{} (instance {}, data {})", core::kVersion, options_.listen_address,
                  parts.server.port(), options_.instance_id(), options_.data_dir.string());
  auto life = [](Parts& all) -> io::Awaitable<void> {
    co_await all.logs.recover();
    auto signal = co_await io::wait_for_stop_signal();
    core::log::info("signal {}: finishing what is under way", signal);
    co_await all.server.stop(kStopGrace);
    all.executors.stop();
  };
  io::spawn_detached(parts.executors.control(), "daemon", life(parts));
  parts.executors.run();
  core::log::info("stopped");
}

void teardown(const Options& options) {
  InstanceLock lock(options);
  if (!options.purge) return;
  std::error_code ignored;
  std::filesystem::remove_all(options.data_dir, ignored);
  std::filesystem::remove_all(options.run_dir, ignored);
}

}  // namespace sampan::daemon

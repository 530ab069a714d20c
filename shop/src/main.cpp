// shop             serves: with SQLite it migrates and stocks itself, so that it starts with no set-up at all
// shop serve       the web, against a database that is migrated
// shop migrate     runs the migrations that have not run, and ends
// shop seed        the first stock, into an empty database, and ends
// Settings come from the environment: DATABASE_URL, HOST, PORT, THREADS, STOP_SECONDS.
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "core/log.h"
#include "db/migrations.h"
#include "seed/seed.h"
#include "web/server.h"

namespace {

using namespace shop;  // NOLINT: the program's own words

std::string setting(const char* name, std::string otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

int number(const char* name, int otherwise, int least, int most) {
  const auto text = setting(name, std::to_string(otherwise));
  std::size_t end = 0;
  int value = 0;
  try {
    value = std::stoi(text, &end);
  } catch (const std::exception&) {
    end = 0;
  }
  if (end != text.size() || end == 0 || value < least || value > most) {
    throw std::invalid_argument(std::string(name) + " must be a number from " + std::to_string(least) +
                                " to " + std::to_string(most) + ", not \"" + text + "\"");
  }
  return value;
}

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

int serve(db::Database& database) {
  const core::SystemClock clock;
  web::App app(database, clock);
  web::Server server(app,
                     {setting("HOST", "0.0.0.0"), static_cast<std::uint16_t>(number("PORT", 8080, 0, 65535)),
                      number("THREADS", 64, 2, 1024)});
  core::log::info("serving", {{"port", std::to_string(server.port())}});
  const auto signals = stop_signals();
  int received = 0;
  sigwait(&signals, &received);
  core::log::info("stopping", {{"signal", std::to_string(received)}});
  server.stop(number("STOP_SECONDS", 25, 0, 3600));
  return 0;
}

void fill(db::Database& database) {
  if (seed::fill(database, core::SystemClock().now())) core::log::info("stocked");
}

int run(const std::string& command) {
  const bool alone = command.empty();
  db::Database database(setting("DATABASE_URL", "sqlite:shop.db"));
  if (command == "migrate" || (alone && database.engine() == db::Engine::kSqlite)) db::migrate(database);
  if (command == "seed" || (alone && database.engine() == db::Engine::kSqlite)) fill(database);
  return command == "migrate" || command == "seed" ? 0 : serve(database);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (argc > 2 || (command != "" && command != "serve" && command != "migrate" && command != "seed")) {
    std::cerr << "usage: shop [serve|migrate|seed]\n";
    return 2;
  }
  const auto signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread is made: sigwait takes them
  try {
    return run(command);
  } catch (const std::invalid_argument& error) {
    std::cerr << "shop: " << error.what() << "\n";
    return 2;
  } catch (const std::exception& error) {
    core::log::error("cannot go on", {{"error", error.what()}});
    return 1;
  }
}

#include "build/http_api.h"

#include <fcntl.h>

#include <boost/json.hpp>

#include "build/job.h"
#include "build/layer_stack.h"
#include "core/encoding.h"
#include "core/error.h"
#include "core/log.h"
#include "core/random.h"
#include "core/text.h"
#include "image/archive_import.h"
#include "image/unpack.h"

namespace sampan::build {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view kJobs = "/sampan/v1/build";
constexpr std::string_view kImages = "/sampan/v1/images/";
constexpr std::uint64_t kLargestUpload = std::uint64_t{16} << 30;
constexpr std::size_t kPiece = 256 * 1024;
constexpr std::size_t kMostJobs = 64;  // under way
constexpr std::size_t kMostRemembered = 1024;
constexpr auto kRemembered = std::chrono::minutes(10);
constexpr auto kLongestPoll = std::chrono::seconds(10);

http::Response answer(int status, const json::object& body) {
  return http::Response::text(status, json::serialize(body), "application/json");
}

http::Response refusal(int status, std::string_view why) {
  return answer(status, {{"message", why}});
}

using Query = std::vector<std::pair<std::string, std::string>>;

std::string first(const Query& query, std::string_view name) {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return "";
}

std::vector<std::string> all(const Query& query, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [key, value] : query) {
    if (key == name) values.push_back(value);
  }
  return values;
}

json::object to_json(const BuildEvent& event) {
  switch (event.type) {
    case BuildEvent::Type::kStep:
      return {{"type", "step"},
              {"step", event.step},
              {"steps", event.steps},
              {"stage", event.stage},
              {"text", event.text}};
    case BuildEvent::Type::kCached:
      return {{"type", "cached"}, {"step", event.step}};
    case BuildEvent::Type::kDone:
      return {{"type", "done"}, {"step", event.step}, {"ms", event.duration.count()}};
    case BuildEvent::Type::kLog:
      return {{"type", "log"},
              {"step", event.step},
              {"stream", event.is_error_stream ? "stderr" : "stdout"},
              {"text", event.text}};
    case BuildEvent::Type::kStatus:
      break;
  }
  return {{"type", "status"}, {"text", event.text}};
}

json::object result_event(const image::Digest& digest, const std::vector<std::string>& tags,
                          std::uint64_t size, const std::vector<int>& ports) {
  return {{"type", "result"},
          {"digest", digest.str()},
          {"tags", json::value_from(tags)},
          {"size", size},
          {"exposed_ports", json::value_from(ports)}};
}

// What a program printed need not be UTF-8, JSON must be: bytes that are not become U+FFFD.
std::string as_utf8(std::string_view text) {
  std::string valid;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xC2 && lead < 0xE0 ? 2
                               : lead >= 0xE0 && lead < 0xF0 ? 3
                               : lead >= 0xF0 && lead < 0xF5 ? 4
                                                             : 0;
    bool good = length > 0 && i + length <= text.size();
    for (std::size_t k = 1; good && k < length; ++k)
      good = (static_cast<unsigned char>(text[i + k]) & 0xC0) == 0x80;
    if (good) {
      valid.append(text.substr(i, length));
    } else {
      valid.append("\xEF\xBF\xBD");
    }
    i += good ? length : 1;
  }
  return valid;
}

io::Awaitable<void> receive(io::Executors& executors, http::BodyReader& body, int file) {
  std::vector<char> piece(kPiece);
  std::uint64_t total = 0;
  while (true) {
    const std::size_t size = co_await body.read_some(piece);
    if (size == 0) co_return;
    total += size;
    if (total > kLargestUpload) throw http::BodyTooLarge("the upload is larger than 16 GiB");
    const auto write = [&] { io::write_all(file, {piece.data(), size}); };
    co_await io::offload(executors, write);
  }
}

std::vector<std::pair<std::string, std::string>> secrets_of(const http::Request& request) {
  std::vector<std::pair<std::string, std::string>> secrets;
  for (const auto& [name, value] : request.headers) {
    if (!core::equal_ignoring_case(name, "x-sampan-build-secret")) continue;
    const std::size_t colon = value.find(':');
    const auto content = core::from_base64(
        std::string_view(value).substr(colon == std::string::npos ? value.size() : colon + 1));
    if (colon == std::string::npos || !content) throw core::Error("x-sampan-build-secret is not ID:BASE64");
    secrets.emplace_back(value.substr(0, colon), *content);
  }
  return secrets;
}

}  // namespace

struct HttpApi::Impl : std::enable_shared_from_this<HttpApi::Impl> {
  io::Executors& executors;
  Builder& builder;
  Bootstrap& bootstrap;
  image::Images& images;
  image::ContentStore& content;
  image::Catalog& catalog;
  fs::path uploads;
  core::SystemIdSource ids;
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Job>> jobs;

  Impl(io::Executors& e, Builder& b, Bootstrap& s, image::Images& i, image::ContentStore& c,
       image::Catalog& g, fs::path data_dir)
      : executors(e),
        builder(b),
        bootstrap(s),
        images(i),
        content(c),
        catalog(g),
        uploads(data_dir / "build/uploads") {
    std::error_code error;
    fs::remove_all(uploads, error);
    io::make_directories(uploads, 0700);
  }

  // Nothing when too many are under way.
  std::shared_ptr<Job> new_job() {
    const std::lock_guard lock(mutex);
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(jobs, [now](const auto& each) {
      return each.second->ended() && now - each.second->ended_at() > kRemembered;
    });
    const auto running =
        std::count_if(jobs.begin(), jobs.end(), [](const auto& each) { return !each.second->ended(); });
    if (static_cast<std::size_t>(running) >= kMostJobs || jobs.size() >= kMostRemembered) return nullptr;
    auto job = std::make_shared<Job>(executors, ids.hex(16));
    jobs.emplace(job->id(), job);
    return job;
  }

  std::shared_ptr<Job> find(const std::string& id) {
    const std::lock_guard lock(mutex);
    const auto found = jobs.find(id);
    return found == jobs.end() ? nullptr : found->second;
  }

  void forget(const std::string& id) {
    const std::lock_guard lock(mutex);
    jobs.erase(id);
  }

  // The work ends the job, whatever happens.
  void launch(const std::shared_ptr<Job>& job, io::Awaitable<json::object> work) {
    auto body = [](std::shared_ptr<Job> of, io::Awaitable<json::object> inner) -> io::Awaitable<void> {
      json::object last;
      try {
        last = co_await std::move(inner);
      } catch (const std::exception& error) {
        last = {{"type", "error"}, {"text", as_utf8(error.what())}};
      }
      of->end(std::move(last));
    };
    io::spawn_detached(executors.net().get_executor(), "job " + job->id(), body(job, std::move(work)));
  }

  static io::Awaitable<json::object> build(std::shared_ptr<Impl> self, std::shared_ptr<Job> job,
                                           BuildRequest request, std::shared_ptr<OwnedDirectory> upload) {
    const auto unpack = [upload] {
      image::FileSource archive(io::open_file(upload->path() / "body", O_RDONLY));
      const fs::path context = upload->path() / "context";
      io::make_directories(context, 0755);
      const io::UniqueFd root = io::open_file(context, O_RDONLY | O_DIRECTORY);
      image::unpack_layer(archive, root.get());
    };
    co_await io::offload(self->executors, unpack);
    request.context = upload->path() / "context";
    request.cancel_fd = job->cancel_fd();
    const BuildProgress progress = [job](const BuildEvent& event) {
      BuildEvent shown = event;
      shown.text = as_utf8(shown.text);
      job->tell(to_json(shown));
    };
    const BuildResult result = co_await self->builder.build(std::move(request), progress);
    co_return result_event(result.manifest, result.tags, result.size, result.exposed_ports);
  }

  static std::uint64_t size_of(const image::Image& image) {
    std::uint64_t size = 0;
    for (const image::LayerDescriptor& layer : image.layers) size += layer.size;
    return size;
  }

  static std::function<void(std::string_view)> status_to(const std::shared_ptr<Job>& job) {
    return [job](std::string_view line) { job->tell({{"type", "status"}, {"text", as_utf8(line)}}); };
  }

  static io::Awaitable<json::object> make_base(std::shared_ptr<Impl> self, std::shared_ptr<Job> job,
                                               std::string name, image::Registry registry) {
    const image::Image made = co_await self->bootstrap.run(registry, name, status_to(job));
    const std::vector<std::string> tags = {name};
    co_return result_event(made.manifest, tags, size_of(made), {});
  }

  // "docker.io/library/debian" is how some tools write "debian".
  static std::string own_name(const image::Reference& reference) {
    constexpr std::string_view kOfficial = "library/";
    const bool hub = reference.host == "docker.io" || reference.host == "index.docker.io";
    if (!hub || !reference.repository.starts_with(kOfficial)) return reference.repository;
    return reference.repository.substr(kOfficial.size());
  }

  static io::Awaitable<json::object> import(std::shared_ptr<Impl> self,
                                            std::shared_ptr<OwnedDirectory> upload,
                                            std::vector<std::string> names, image::Registry registry) {
    const auto held = self->content.hold();  // until they have their tags
    const auto read = [&self, &upload] {
      return image::import_archive(upload->path() / "body", self->content);
    };
    const std::vector<image::ImportedImage> imported = co_await io::offload(self->executors, read);
    std::vector<std::string> tags;
    for (const image::ImportedImage& each : imported) {
      for (const std::string& name : names.empty() ? each.names : names) {
        const auto reference = image::Reference::parse(name);
        if (!reference) throw core::Error("import " + name, "not an image's name");
        const std::string repository = own_name(*reference);
        co_await self->catalog.tag(registry, repository, reference->tag, each.manifest);
        tags.push_back(repository + ":" + reference->tag);
      }
    }
    if (imported.empty()) throw core::Error("the archive holds no image");
    if (tags.empty()) throw core::Error("the archive gives its image no name: say one (-t NAME:TAG)");
    co_return result_event(imported.front().manifest, tags, 0, {});
  }

  static image::PullOptions pull_options(const std::shared_ptr<Job>& job) {
    image::PullOptions options;
    options.progress = [job](const image::PullProgress& progress) {
      if (progress.blob && progress.done < progress.total) return;
      job->tell({{"type", "status"}, {"text", as_utf8(progress.what)}});
    };
    return options;
  }

  static io::Awaitable<json::object> pull(std::shared_ptr<Impl> self, std::shared_ptr<Job> job,
                                          image::Reference reference, image::Registry registry,
                                          image::PullOptions options) {
    (void)job;
    const auto held = self->content.hold();  // until it has its tag
    const image::Image image = co_await self->images.ensure(registry, reference, std::move(options));
    std::vector<std::string> tags;
    if (!reference.digest) {
      co_await self->catalog.tag(registry, reference.repository, reference.tag, image.manifest);
      tags.push_back(reference.repository + ":" + reference.tag);
    }
    co_return result_event(image.manifest, tags, size_of(image), {});
  }

  static io::Awaitable<json::object> push(std::shared_ptr<Impl> self, image::Reference from,
                                          image::Reference to, image::Registry registry,
                                          image::PullOptions options) {
    const auto resolve = [&] { return self->catalog.resolve(registry, from); };
    const std::optional<image::Digest> manifest = co_await io::on_control(self->executors, resolve);
    if (!manifest) throw core::Error("push " + from.str(), "no such image here");
    co_await self->images.push(*manifest, to, std::move(options));
    const std::vector<std::string> tags = {to.str()};
    co_return result_event(*manifest, tags, 0, {});
  }

  io::Awaitable<std::shared_ptr<OwnedDirectory>> upload(const std::string& id, http::BodyReader& body) {
    auto directory = std::make_shared<OwnedDirectory>(uploads / id);
    io::make_directories(directory->path(), 0700);
    const io::UniqueFd file = io::open_file(directory->path() / "body", O_WRONLY | O_CREAT | O_EXCL, 0600);
    co_await receive(executors, body, file.get());
    co_return directory;
  }

  static BuildRequest build_request(const http::Request& request, const Query& query,
                                    image::Registry registry) {
    BuildRequest wanted;
    wanted.registry = std::move(registry);
    wanted.tags = all(query, "t");
    wanted.target = first(query, "target");
    wanted.no_cache = first(query, "no_cache") == "1" || first(query, "no_cache") == "true";
    if (!first(query, "dockerfile").empty()) wanted.dockerfile = first(query, "dockerfile");
    for (const std::string& arg : all(query, "arg")) {
      const std::size_t equals = arg.find('=');
      if (equals != std::string::npos)
        wanted.args.emplace_back(arg.substr(0, equals), arg.substr(equals + 1));
    }
    wanted.secrets = secrets_of(request);
    return wanted;
  }

  static image::Reference reference_of(const Query& query, std::string_view name) {
    const std::string text = first(query, name);
    auto reference = image::Reference::parse(text);
    if (!reference) throw core::Error(fmt::format("{}=\"{}\"", name, text), "not an image's name");
    return *reference;
  }

  // Reads what the order needs and gives its work; nothing when the path is none of ours.
  io::Awaitable<std::optional<io::Awaitable<json::object>>> work_for(std::string path, http::Request& request,
                                                                     http::BodyReader& body,
                                                                     image::Registry registry,
                                                                     std::shared_ptr<Job> job) {
    const Query query = http::parse_query(request.raw_query());
    auto self = shared_from_this();
    std::optional<io::Awaitable<json::object>> work;
    if (path == kJobs) {
      BuildRequest wanted = build_request(request, query, std::move(registry));
      auto uploaded = co_await upload(job->id(), body);
      work.emplace(build(self, job, std::move(wanted), std::move(uploaded)));
    } else if (path == "/sampan/v1/images/bootstrap") {
      work.emplace(make_base(self, job, first(query, "name"), std::move(registry)));
    } else if (path == "/sampan/v1/images/import") {
      auto uploaded = co_await upload(job->id(), body);
      work.emplace(import(self, std::move(uploaded), all(query, "t"), std::move(registry)));
    } else if (path == "/sampan/v1/images/pull") {
      work.emplace(pull(self, job, reference_of(query, "name"), std::move(registry), pull_options(job)));
    } else if (path == "/sampan/v1/images/push") {
      image::PullOptions options = pull_options(job);
      const std::string user = first(query, "user");
      if (!user.empty())
        options.login =
            image::RegistryLogin{user, std::string(request.headers.get("x-sampan-registry-password"))};
      const std::string to = first(query, "to").empty() ? "name" : "to";
      work.emplace(push(self, reference_of(query, "name"), reference_of(query, to), std::move(registry),
                        std::move(options)));
    }
    co_return work;
  }

  io::Awaitable<http::Response> start(std::string path, http::Request& request, http::BodyReader& body,
                                      image::Registry registry) {
    const std::shared_ptr<Job> job = new_job();
    if (!job) co_return refusal(429, "too many builds at once: try again later");
    std::string why;
    int status = 202;
    try {
      auto work = co_await work_for(path, request, body, std::move(registry), job);
      if (work) launch(job, std::move(*work));
      if (!work) status = 404;
    } catch (const http::BodyTooLarge& error) {
      status = 413;
      why = error.what();
    } catch (const core::Error& error) {
      status = 400;
      why = error.what();
    } catch (...) {
      forget(job->id());
      throw;
    }
    if (status == 202) co_return answer(202, {{"id", job->id()}});
    forget(job->id());
    co_return refusal(status, status == 404 ? "no such path" : why);
  }

  io::Awaitable<http::Response> poll(std::string id, std::string_view raw_query) {
    const std::shared_ptr<Job> job = find(id);
    if (!job) co_return refusal(404, "no such build");
    const auto from = core::parse_int(first(http::parse_query(raw_query), "from"));
    const std::size_t start = from && *from > 0 ? static_cast<std::size_t>(*from) : 0;
    std::string lines = co_await job->read(start, kLongestPoll);
    co_return http::Response::text(200, std::move(lines), "application/x-ndjson");
  }
};

HttpApi::HttpApi(io::Executors& executors, Builder& builder, Bootstrap& bootstrap, image::Images& images,
                 image::ContentStore& content, image::Catalog& catalog, fs::path data_dir)
    : impl_(std::make_shared<Impl>(executors, builder, bootstrap, images, content, catalog,
                                   std::move(data_dir))) {}

HttpApi::~HttpApi() = default;

bool HttpApi::serves(std::string_view path) {
  if (path == kJobs || path.starts_with(std::string(kJobs) + "/")) return true;
  if (!path.starts_with(kImages)) return false;
  const std::string_view rest = path.substr(kImages.size());
  return rest == "bootstrap" || rest == "import" || rest == "pull" || rest == "push";
}

io::Awaitable<http::Response> HttpApi::handle(http::Request& request, http::BodyReader& body,
                                              image::Registry registry) {
  const auto impl = impl_;
  const std::string path(request.raw_path());
  const std::string prefix = std::string(kJobs) + "/";
  if (path.starts_with(prefix)) {
    const std::string id = path.substr(prefix.size());
    if (request.method == "GET") co_return co_await impl->poll(id, request.raw_query());
    const auto job = impl->find(id);
    if (request.method != "DELETE") co_return refusal(405, "use GET or DELETE");
    if (!job) co_return refusal(404, "no such build");
    job->cancel();
    co_return answer(200, {{"id", id}});
  }
  if (request.method != "POST") co_return refusal(405, "use POST");
  co_return co_await impl->start(path, request, body, std::move(registry));
}

}  // namespace sampan::build

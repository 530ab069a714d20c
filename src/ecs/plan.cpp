#include "ecs/plan.h"

#include <algorithm>
#include <map>

namespace sampan::ecs {
namespace {

constexpr int kLeastThreshold = 3;
constexpr int kMostThreshold = 200;
constexpr int kImpairedRounds = 3;

using Tasks = std::vector<const PlanTask*>;

// The tasks that are wanted, by what they mean for the plan.
struct Sorted {
  Tasks mine_good;  // primary's, pending, settling or healthy
  Tasks mine_bad;   // primary's, unhealthy
  Tasks old;        // of other deployments
  int mine_healthy = 0;
  int old_healthy = 0;  // those that serve
  int settled = 0;      // primary's that are healthy, or bad: nothing more will happen by waiting
  int unwanted = 0;     // still stopping
  int wanted() const { return static_cast<int>(mine_good.size() + mine_bad.size() + old.size()); }
};

// An old task that runs and has nothing that could say otherwise serves, however short it has run: stopping
// it because it is young would be an outage.
bool serves(const PlanTask& task) {
  return task.fitness == Fitness::kHealthy || (task.fitness == Fitness::kSettling && !task.checked);
}

bool has_stopped(const PlanTask& task) { return task.failed_start && !task.ending; }

Sorted sort_tasks(const ServiceView& service) {
  Sorted sorted;
  for (const auto& task : service.tasks) {
    if (has_stopped(task)) continue;
    if (!task.wanted) {
      ++sorted.unwanted;
      continue;
    }
    if (task.deployment != service.primary.id) {
      sorted.old.push_back(&task);
      if (serves(task)) ++sorted.old_healthy;
      continue;
    }
    (task.fitness == Fitness::kUnhealthy ? sorted.mine_bad : sorted.mine_good).push_back(&task);
    if (task.fitness == Fitness::kHealthy) ++sorted.mine_healthy;
    if (task.fitness == Fitness::kHealthy || task.fitness == Fitness::kUnhealthy) ++sorted.settled;
  }
  return sorted;
}

// Which of the primary's good tasks goes first when there are too many: what serves least, then the fullest
// zone, then the youngest.
void order_for_scale_in(Tasks& tasks) {
  std::map<std::string, int> per_zone;
  for (const auto* task : tasks) ++per_zone[task->zone];
  std::sort(tasks.begin(), tasks.end(), [&](const PlanTask* a, const PlanTask* b) {
    if (a->fitness != b->fitness) return a->fitness < b->fitness;
    int in_a = per_zone[a->zone], in_b = per_zone[b->zone];
    if (in_a != in_b) return in_a > in_b;
    if (a->created_at != b->created_at) return a->created_at > b->created_at;
    return a->id < b->id;
  });
}

// The order in which old tasks go.
int use_of(const PlanTask& task) {
  switch (task.fitness) {
    case Fitness::kUnhealthy:
      return 0;
    case Fitness::kPending:
      return 1;
    case Fitness::kSettling:
      return 2;
    case Fitness::kHealthy:
      return 3;
  }
  return 3;
}

PlannedStop stop_of(const PlanTask& task, StopCause cause) {
  return {task.id, cause, task.fitness == Fitness::kPending};
}

class Planner {
 public:
  Planner(const ServiceView& service, core::TimePoint now)
      : service_(service), now_(now), sorted_(sort_tasks(service)) {
    plan_.failed_tasks = service.primary.failed_tasks;
    plan_.start_rounds = service.start_rounds;
    plan_.next_start = service.next_start;
  }

  ServicePlan run() {
    if (service_.draining) return drain();
    note_health();
    count_failures();
    if (breaker_opens()) return std::move(plan_);
    if (service_.primary.failed) {
      trim_failed();
    } else {
      move_tasks();
    }
    conclude();
    return std::move(plan_);
  }

 private:
  ServicePlan drain() {
    for (const auto& task : service_.tasks) {
      if (task.failed_start) {
        plan_.counted.push_back(task.id);
      } else if (task.wanted) {
        plan_.stop.push_back(stop_of(task, StopCause::kScaling));
      }
    }
    plan_.gone = sorted_.wanted() == 0 && sorted_.unwanted == 0;
    return std::move(plan_);
  }

  // A task that proved healthy ends the row of failures.
  void note_health() {
    for (const auto& task : service_.tasks) {
      if (!task.wanted || task.was_healthy || task.fitness != Fitness::kHealthy) continue;
      plan_.now_healthy.push_back(task.id);
      if (task.deployment != service_.primary.id) continue;
      plan_.failed_tasks = 0;
      plan_.start_rounds = 0;
      plan_.next_start.reset();
    }
  }

  void count_failures() {
    int failed = 0;
    for (const auto& task : service_.tasks) {
      if (!task.failed_start) continue;
      plan_.counted.push_back(task.id);
      if (task.deployment == service_.primary.id) ++failed;
    }
    add_failures(failed);
  }

  // Failures seen together are one round: the gap doubles once.
  void add_failures(int count) {
    if (count == 0) return;
    plan_.failed_tasks += count;
    if (plan_.next_start && now_ < *plan_.next_start) return;
    ++plan_.start_rounds;
    auto gap = service_.first_gap;
    for (int i = 1; i < plan_.start_rounds && gap < service_.longest_gap; ++i) gap *= 2;
    plan_.next_start = now_ + std::min(gap, service_.longest_gap);
    plan_.impaired = plan_.start_rounds >= kImpairedRounds;
  }

  bool breaker_opens() {
    if (!service_.breaker || service_.primary.completed || service_.primary.failed) return false;
    if (plan_.failed_tasks < breaker_threshold(service_.desired)) return false;
    plan_.fail = true;
    if (service_.rollback && service_.rollback_to) {
      plan_.roll_back_to = service_.rollback_to;
      plan_.start_rounds = 0;
      plan_.next_start.reset();
    }
    return true;
  }

  void move_tasks() {
    stop_bad();
    scale_in();
    stop_old();
    start_new();
  }

  // A failed deployment starts and replaces nothing; a smaller desired count is still obeyed, by its tasks
  // and by the old ones each for themselves.
  void trim_failed() {
    scale_in();
    int surplus = static_cast<int>(sorted_.old.size()) - service_.desired;
    for (int i = 0; i < surplus; ++i) plan_.stop.push_back(stop_of(*sorted_.old[i], StopCause::kScaling));
  }

  int lower() const { return lower_bound(service_.desired, service_.minimum_percent); }
  int upper() const { return upper_bound(service_.desired, service_.maximum_percent); }
  int stopping() const { return static_cast<int>(plan_.stop.size()); }

  // Unhealthy tasks hold no one up: a young one of a deployment under way goes at once (it is a failed try);
  // one that served before goes when its replacement is healthy, or one at a time where there is no room for
  // a replacement beside it.
  void stop_bad() {
    int spare = sorted_.mine_healthy + static_cast<int>(sorted_.mine_bad.size()) - service_.desired;
    bool waiting = sorted_.mine_healthy < static_cast<int>(sorted_.mine_good.size());
    bool room = sorted_.wanted() < upper();
    int failures = 0;
    bool one_by_one = false;
    for (const auto* task : sorted_.mine_bad) {
      bool failed_try = !task->was_healthy && !service_.primary.completed;
      bool replaced = spare > 0;
      bool alone = !room && !waiting && !one_by_one;
      if (!failed_try && !replaced && !alone) continue;
      if (!failed_try && !replaced) one_by_one = true;
      --spare;
      if (!task->was_healthy) ++failures;
      plan_.stop.push_back(stop_of(*task, StopCause::kUnhealthy));
    }
    add_failures(failures);
  }

  void scale_in() {
    int surplus = static_cast<int>(sorted_.mine_good.size()) - service_.desired;
    if (surplus <= 0) return;
    order_for_scale_in(sorted_.mine_good);
    for (int i = 0; i < surplus; ++i) {
      const auto* task = sorted_.mine_good[i];
      if (task->fitness == Fitness::kHealthy) --sorted_.mine_healthy;
      plan_.stop.push_back(stop_of(*task, StopCause::kScaling));
    }
    sorted_.mine_good.erase(sorted_.mine_good.begin(), sorted_.mine_good.begin() + surplus);
  }

  // Old tasks that never served go at once. The others go as far as enough healthy ones stay; one whose
  // health is not known just now (the balancer was restarted) is treated as if it served, but not counted
  // upon.
  void stop_old() {
    int budget = sorted_.mine_healthy + sorted_.old_healthy - lower();
    auto order = sorted_.old;
    std::sort(order.begin(), order.end(), [](const PlanTask* a, const PlanTask* b) {
      return std::pair(use_of(*a), a->id) < std::pair(use_of(*b), b->id);
    });
    int mine = static_cast<int>(sorted_.mine_good.size());
    for (const auto* task : order) {
      bool never_served = !task->was_healthy && !serves(*task);
      bool useless = task->fitness == Fitness::kUnhealthy && (budget >= 0 || no_room(mine));
      if (!never_served && !useless) {
        if (budget <= 0) continue;
        --budget;
      }
      plan_.stop.push_back(stop_of(*task, StopCause::kScaling));
    }
  }

  bool no_room(int mine) const { return mine < service_.desired && sorted_.wanted() - stopping() >= upper(); }

  void start_new() {
    int missing = service_.desired - static_cast<int>(sorted_.mine_good.size());
    if (missing <= 0) return;
    if (plan_.next_start && now_ < *plan_.next_start) return;
    int room = upper() - (sorted_.wanted() + scaled_in() - stopping());
    plan_.start = std::clamp(room, 0, missing);
    plan_.replaced_unhealthy = std::min<int>(plan_.start, sorted_.mine_bad.size());
    bool idle = plan_.start == 0 && plan_.stop.empty() && sorted_.unwanted == 0;
    bool nothing_comes = sorted_.mine_healthy == static_cast<int>(sorted_.mine_good.size());
    plan_.stuck = idle && nothing_comes && !sorted_.old.empty() && !service_.primary.completed;
  }

  // What scale_in() took out of the sorted tasks and put into the stops.
  int scaled_in() const {
    return static_cast<int>(std::count_if(service_.tasks.begin(), service_.tasks.end(),
                                          [](const auto& t) { return t.wanted && !has_stopped(t); })) -
           sorted_.wanted();
  }

  void conclude() {
    for (const auto& id : service_.others) {
      bool alive = std::any_of(service_.tasks.begin(), service_.tasks.end(),
                               [&](const auto& t) { return t.deployment == id && !has_stopped(t); });
      if (!alive) plan_.retire.push_back(id);
    }
    bool full = sorted_.mine_healthy == service_.desired && sorted_.mine_bad.empty();
    bool alone = plan_.retire.size() == service_.others.size() && sorted_.old.empty();
    bool quiet = plan_.start == 0 && plan_.stop.empty() && sorted_.unwanted == 0;
    bool done = full && alone && quiet && static_cast<int>(sorted_.mine_good.size()) == service_.desired &&
                !service_.primary.failed;
    plan_.complete = done && !service_.primary.completed;
    plan_.steady = done;
  }

  const ServiceView& service_;
  core::TimePoint now_;
  Sorted sorted_;
  ServicePlan plan_;
};

}  // namespace

int lower_bound(int desired, int minimum_percent) {
  return static_cast<int>((static_cast<long>(desired) * minimum_percent + 99) / 100);
}
int upper_bound(int desired, int maximum_percent) {
  return static_cast<int>(static_cast<long>(desired) * maximum_percent / 100);
}
int breaker_threshold(int desired) {
  return std::clamp((desired + 1) / 2, kLeastThreshold, kMostThreshold);
}

ServicePlan plan_service(const ServiceView& service, core::TimePoint now) {
  return Planner(service, now).run();
}

}  // namespace sampan::ecs

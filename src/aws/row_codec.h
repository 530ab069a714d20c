// Rows of a store::Table that are generated shapes: include this and use store::Table<api::ecs::Cluster>.
//
// A hand-written row that holds generated shapes writes its own codec with Boost.JSON:
//   template <> struct sampan::store::RowCodec<TaskRow> {
//     static std::string encode(const TaskRow& row) {
//       return boost::json::serialize(boost::json::object{{"task", aws::to_json(row.task)}, {"node",
//       row.node}});
//     }
//     static TaskRow decode(std::string_view text) {
//       auto json = boost::json::parse(text);
//       return {.task = aws::from_json<api::ecs::Task>(json.at("task")), ...};
//     }
//   };
#pragma once

#include <string>
#include <string_view>

#include "aws/json_codec.h"
#include "store/table.h"

namespace sampan::store {

template <aws::Shaped T>
struct RowCodec<T> {
  static std::string encode(const T& row) { return aws::json_encode(row); }
  static T decode(std::string_view text) { return aws::json_decode<T>(text); }
};

}  // namespace sampan::store

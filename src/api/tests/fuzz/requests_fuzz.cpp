// Fuzz target: any bytes as the input of any operation. The first two bytes choose which; the rest is the
// body. Built with -DSAMPAN_FUZZ=ON; run: build/fuzz/bin/api_requests_fuzz CORPUS_DIR
#include "api/ec2.h"
#include "api/ecr.h"
#include "api/ecs.h"
#include "api/elbv2.h"
#include "api/logs.h"
#include "api/sts.h"
#include "aws/form.h"
#include "aws/json_codec.h"
#include "aws/query_codec.h"
#include "aws/validation_text.h"
#include "aws/violations.h"
#include "aws/wire.h"

using namespace sampan;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const aws::ServiceModel* const kModels[] = {&api::ecs::kModel,  &api::ecr::kModel,
                                                     &api::logs::kModel, &api::elbv2::kModel,
                                                     &api::ec2::kModel,  &api::sts::kModel};
  if (size < 2) return 0;
  const auto& model = *kModels[data[0] % std::size(kModels)];
  const auto& operation = model.operations[data[1] % model.operations.size()];
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  auto exchange = operation.exchange();
  aws::Violations violations;
  try {
    if (model.protocol == aws::Protocol::kJson) {
      aws::decode_json(operation.input, body, exchange->input(), &violations);
    } else {
      aws::decode_query(model.protocol, operation.input, aws::Form::parse(body), exchange->input(),
                        &violations);
    }
    if (!violations.empty()) aws::validation_fault(model, operation.name, violations);
    std::string again;
    aws::encode_json(operation.input, exchange->input(), again);
  } catch (const aws::SerializationError&) {
  } catch (const aws::FormError&) {
  }
  try {
    aws::decode_answer(model, operation, body, const_cast<void*>(exchange->output()));
  } catch (const aws::SerializationError&) {
  }
  aws::decode_fault(model, 400, body);
  return 0;
}

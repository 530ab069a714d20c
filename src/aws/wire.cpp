#include "aws/wire.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <pugixml.hpp>

#include "aws/json_codec.h"
#include "aws/xml_codec.h"

namespace sampan::aws {
namespace {

constexpr std::string_view kXmlHead = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
constexpr unsigned kXmlOptions = pugi::parse_default | pugi::parse_ws_pcdata_single;

http::Response answer(int status, std::string body, std::string content_type, std::string_view request_id) {
  http::Response response;
  response.status = status;
  response.headers.add("x-amzn-RequestId", std::string(request_id));
  if (!content_type.empty()) response.headers.add("Content-Type", std::move(content_type));
  response.body = std::move(body);
  return response;
}

std::string content_type_of(const Dialect& dialect) {
  if (dialect.protocol == Protocol::kJson)
    return fmt::format("application/x-amz-json-{}", dialect.json_version);
  return dialect.protocol == Protocol::kQuery ? "text/xml" : "text/xml;charset=UTF-8";
}

std::string query_body(const ServiceModel& service, const Operation& operation, const void* output,
                       std::string_view request_id) {
  std::string out = fmt::format("<{}Response xmlns=\"{}\">", operation.name, service.xml_namespace);
  if (operation.has_output) {
    out += fmt::format("<{}>", operation.result_wrapper);
    encode_xml(operation.output, output, out);
    out += fmt::format("</{}>", operation.result_wrapper);
  }
  out += fmt::format("<ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{}Response>",
                     request_id, operation.name);
  return out;
}

std::string ec2_body(const ServiceModel& service, const Operation& operation, const void* output,
                     std::string_view request_id) {
  auto out = fmt::format("{}<{}Response xmlns=\"{}/\"><requestId>{}</requestId>", kXmlHead, operation.name,
                         service.xml_namespace, request_id);
  if (operation.has_output) {
    encode_xml(operation.output, output, out);
  } else {
    out += "<return>true</return>";
  }
  out += fmt::format("</{}Response>", operation.name);
  return out;
}

std::string json_fault(const Fault& fault) {
  boost::json::object body{{"__type", fault.code()}};
  if (*fault.what()) body["message"] = fault.what();
  for (const auto& member : fault.members()) body[member.key()] = member.value();
  return boost::json::serialize(body);
}

std::string xml_fault(const Dialect& dialect, const Fault& fault, std::string_view request_id) {
  std::string code, message;
  append_xml_text(fault.code(), code);
  append_xml_text(fault.what(), message);
  if (dialect.protocol == Protocol::kEc2) {
    return fmt::format(
        "{}<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors>"
        "<RequestID>{}</RequestID></Response>",
        kXmlHead, code, message, request_id);
  }
  return fmt::format(
      "<ErrorResponse xmlns=\"{}\"><Error><Type>{}</Type><Code>{}</Code><Message>{}</Message></Error>"
      "<RequestId>{}</RequestId></ErrorResponse>",
      dialect.xml_namespace, fault.http_status() < 500 ? "Sender" : "Receiver", code, message, request_id);
}

Fault unreadable(int http_status, std::string_view body) {
  return Fault("UnknownError", http_status,
               fmt::format("the server answered {} with: {}", http_status, body.substr(0, 200)));
}

Fault decode_json_fault(int http_status, std::string_view body) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse(body, error);
  if (error || !parsed.is_object()) return unreadable(http_status, body);
  const auto& object = parsed.get_object();
  const auto text = [&object](std::string_view name) -> std::string {
    const auto* value = object.if_contains(boost::json::string_view(name.data(), name.size()));
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  auto code = text("__type");
  if (const auto hash = code.rfind('#'); hash != std::string::npos) code.erase(0, hash + 1);
  if (code.empty()) return unreadable(http_status, body);
  auto message = text("message");
  if (message.empty()) message = text("Message");
  Fault fault(std::move(code), http_status, message);
  for (const auto& member : object) {
    if (member.key() == "__type" || member.key() == "message" || member.key() == "Message") continue;
    fault.set_member(std::string_view(member.key().data(), member.key().size()), member.value());
  }
  return fault;
}

}  // namespace

http::Response encode_answer(const ServiceModel& service, const Operation& operation, const void* output,
                             std::string_view request_id) {
  std::string body;
  switch (service.protocol) {
    case Protocol::kJson:
      if (operation.has_output) {
        body.reserve(512);
        encode_json(operation.output, output, body);
      }
      break;
    case Protocol::kQuery:
      body = query_body(service, operation, output, request_id);
      break;
    case Protocol::kEc2:
      body = ec2_body(service, operation, output, request_id);
      break;
  }
  return answer(200, std::move(body), content_type_of(dialect_of(service)), request_id);
}

http::Response encode_fault(const Dialect& dialect, const Fault& fault, std::string_view request_id) {
  auto body = dialect.protocol == Protocol::kJson ? json_fault(fault) : xml_fault(dialect, fault, request_id);
  return answer(fault.http_status(), std::move(body), content_type_of(dialect), request_id);
}

void decode_answer(const ServiceModel& service, const Operation& operation, std::string_view body,
                   void* output) {
  if (!operation.has_output) return;
  if (service.protocol == Protocol::kJson) {
    if (!body.empty()) decode_json(operation.output, body, output);
    return;
  }
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size(), kXmlOptions)) {
    throw SerializationError("the answer is not XML");
  }
  auto root = document.document_element();
  if (service.protocol == Protocol::kQuery) root = root.child(std::string(operation.result_wrapper).c_str());
  decode_xml(operation.output, root, output);
}

Fault decode_fault(const ServiceModel& service, int http_status, std::string_view body) {
  if (service.protocol == Protocol::kJson) return decode_json_fault(http_status, body);
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size(), kXmlOptions)) return unreadable(http_status, body);
  const auto root = document.document_element();
  const auto error =
      service.protocol == Protocol::kEc2 ? root.child("Errors").child("Error") : root.child("Error");
  if (!error) return unreadable(http_status, body);
  return Fault(error.child_value("Code"), http_status, error.child_value("Message"));
}

}  // namespace sampan::aws

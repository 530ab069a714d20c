// The fields of a task's assignment, once for both directions (json_archive.h). The names are those of our
// own files, not of an AWS API.
#pragma once

#include "node/link.h"

namespace sampan::node {

template <class A>
void fields(A& a, HealthCheck& v) {
  a("command", v.command);
  a("interval", v.interval_seconds);
  a("timeout", v.timeout_seconds);
  a("retries", v.retries);
  a("startPeriod", v.start_period_seconds);
}

template <class A>
void fields(A& a, PortMapping& v) {
  a("container", v.container_port);
  a("host", v.host_port);
  a("protocol", v.protocol);
}

template <class A>
void fields(A& a, Dependency& v) {
  a("container", v.container);
  a("condition", v.condition);
}

template <class A>
void fields(A& a, MountPoint& v) {
  a("volume", v.volume);
  a("path", v.container_path);
  a("readOnly", v.read_only);
}

template <class A>
void fields(A& a, Ulimit& v) {
  a("name", v.name);
  a("soft", v.soft);
  a("hard", v.hard);
}

template <class A>
void fields(A& a, LogConfiguration& v) {
  a("driver", v.driver);
  a("options", v.options);
}

template <class A>
void fields(A& a, ContainerAssignment& v) {
  a("name", v.name);
  a("arn", v.arn);
  a("image", v.image);
  a("imageDigest", v.image_digest);
  a("essential", v.essential);
  a("entryPoint", v.entry_point);
  a("command", v.command);
  a("environment", v.environment);
  a("user", v.user);
  a("workingDirectory", v.working_directory);
  a("hostname", v.hostname);
  a("cpu", v.cpu_units);
  a("memory", v.memory_mib);
  a("memoryReservation", v.memory_reservation_mib);
  a("startTimeout", v.start_timeout_seconds);
  a("stopTimeout", v.stop_timeout_seconds);
  a("dependsOn", v.depends_on);
  a("healthCheck", v.health_check);
  a("ports", v.ports);
  a("mounts", v.mounts);
  a("volumesFrom", v.volumes_from);
  a("ulimits", v.ulimits);
  a("capabilitiesAdd", v.capabilities_add);
  a("capabilitiesDrop", v.capabilities_drop);
  a("extraHosts", v.extra_hosts);
  a("labels", v.labels);
  a("sysctls", v.sysctls);
  a("privileged", v.privileged);
  a("readOnlyRoot", v.read_only_root);
  a("initProcess", v.init_process);
  a("interactive", v.interactive);
  a("pseudoTerminal", v.pseudo_terminal);
  a("log", v.log);
}

template <class A>
void fields(A& a, Volume& v) {
  a("name", v.name);
  a("hostPath", v.host_path);
}

template <class A>
void fields(A& a, NetworkAssignment& v) {
  a("mode", v.mode);
  a("interface", v.interface_id);
  a("attachment", v.attachment_id);
  a("mac", v.mac);
  a("address", v.address);
  a("prefixLength", v.prefix_length);
  a("gateway", v.gateway);
  a("vpc", v.vpc_id);
  a("vpcCidr", v.vpc_cidr);
  a("subnet", v.subnet_id);
  a("subnetCidr", v.subnet_cidr);
  a("privateDnsName", v.private_dns_name);
  a("securityGroups", v.security_groups);
}

template <class A>
void fields(A& a, TaskAssignment& v) {
  a("id", v.task_id);
  a("arn", v.task_arn);
  a("account", v.account);
  a("region", v.region);
  a("cluster", v.cluster);
  a("family", v.family);
  a("revision", v.revision);
  a("launchType", v.launch_type);
  a("availabilityZone", v.availability_zone);
  a("service", v.service);
  a("taskRole", v.task_role_arn);
  a("executionRole", v.execution_role_arn);
  a("cpu", v.cpu_units);
  a("memory", v.memory_mib);
  a("ephemeralStorage", v.ephemeral_storage_gib);
  a("network", v.network);
  a("containers", v.containers);
  a("volumes", v.volumes);
  a("tags", v.tags);
}

template <class A>
void fields(A& a, NetworkBinding& v) {
  a("bindIp", v.bind_ip);
  a("container", v.container_port);
  a("host", v.host_port);
  a("protocol", v.protocol);
}

}  // namespace sampan::node

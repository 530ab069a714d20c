#!/usr/bin/env python3
"""Makes models/SERVICE.json, the compact API models that the API's C++ is generated from, out of a botocore install.

A developer's tool: run it when AWS adds to an API, read the diff, commit the result. The build itself needs
models/ only. What is kept is the interface (names, types, constraints, errors, wire names, pagination);
documentation is left out.

    tools/import_models.py [--botocore DIR] [--out models] [SERVICE...]
"""

import argparse
import gzip
import json
import pathlib
import sys

# Service -> API version, and which operations: all of them unless listed. EC2 is only what ECS needs of it.
EC2_OPERATIONS = """
DescribeVpcs CreateVpc DeleteVpc DescribeSubnets CreateSubnet DeleteSubnet DescribeSecurityGroups CreateSecurityGroup
DeleteSecurityGroup AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress
RevokeSecurityGroupEgress DescribeSecurityGroupRules DescribeNetworkInterfaces DescribeAvailabilityZones DescribeRegions
DescribeRouteTables DescribeInternetGateways CreateTags DeleteTags DescribeTags DescribeAccountAttributes
""".split()

# IAM: users, groups, roles and their policies. No passwords, devices, certificates, providers or reports.
IAM_OPERATIONS = """
CreateUser GetUser ListUsers DeleteUser TagUser UntagUser ListUserTags
CreateAccessKey ListAccessKeys UpdateAccessKey DeleteAccessKey GetAccessKeyLastUsed
PutUserPolicy GetUserPolicy ListUserPolicies DeleteUserPolicy AttachUserPolicy DetachUserPolicy ListAttachedUserPolicies
CreateGroup GetGroup ListGroups DeleteGroup AddUserToGroup RemoveUserFromGroup ListGroupsForUser
PutGroupPolicy GetGroupPolicy ListGroupPolicies DeleteGroupPolicy AttachGroupPolicy DetachGroupPolicy
ListAttachedGroupPolicies
CreateRole GetRole ListRoles UpdateRole UpdateAssumeRolePolicy DeleteRole TagRole UntagRole ListRoleTags
PutRolePolicy GetRolePolicy ListRolePolicies DeleteRolePolicy AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies
CreatePolicy GetPolicy ListPolicies DeletePolicy ListEntitiesForPolicy
CreatePolicyVersion GetPolicyVersion ListPolicyVersions SetDefaultPolicyVersion DeletePolicyVersion
SimulatePrincipalPolicy
""".split()

SECRETS_OPERATIONS = """
CreateSecret GetSecretValue BatchGetSecretValue PutSecretValue UpdateSecret UpdateSecretVersionStage DescribeSecret
ListSecrets ListSecretVersionIds DeleteSecret RestoreSecret TagResource UntagResource GetRandomPassword
""".split()

SERVICES = {
    "ecs": ("2014-11-13", None),
    "ecr": ("2015-09-21", None),
    "elbv2": ("2015-12-01", None),
    "sts": ("2011-06-15", None),
    "logs": ("2014-03-28", None),
    "ec2": ("2016-11-15", EC2_OPERATIONS),
    "secretsmanager": ("2017-10-17", SECRETS_OPERATIONS),
    "iam": ("2010-05-08", IAM_OPERATIONS),
}

METADATA = ("apiVersion", "endpointPrefix", "jsonVersion", "protocol", "serviceId", "signingName", "targetPrefix",
            "xmlNamespace")
SHAPE_FLAGS = ("sensitive", "document", "eventstream", "event", "union", "exception", "fault", "flattened",
               "deprecated", "timestampFormat", "locationName")
CONSTRAINTS = ("enum", "min", "max", "pattern")
MEMBER_FLAGS = ("locationName", "queryName", "flattened", "timestampFormat", "idempotencyToken", "location")


def reference(member):
    """A member's shape: its name alone, or an object where the wire says more about it."""
    kept = {key: member[key] for key in MEMBER_FLAGS if key in member}
    return {"shape": member["shape"], **kept} if kept else member["shape"]


def compact_shape(shape):
    kept = {"type": shape["type"]}
    for key in SHAPE_FLAGS + CONSTRAINTS:
        if key in shape:
            kept[key] = shape[key]
    if "error" in shape:
        kept["error"] = {key: shape["error"][key] for key in ("code", "httpStatusCode") if key in shape["error"]}
    if shape["type"] == "structure":
        if shape.get("required"):
            kept["required"] = shape["required"]
        kept["members"] = {name: reference(member) for name, member in shape["members"].items()}
    for part in ("member", "key", "value"):
        if part in shape:
            kept[part] = reference(shape[part])
    return kept


def compact_operation(operation):
    kept = {}
    for part in ("input", "output"):
        if part in operation:
            kept[part] = operation[part]["shape"]
    wrapper = operation.get("output", {}).get("resultWrapper")
    if wrapper:
        kept["resultWrapper"] = wrapper
    errors = [error["shape"] for error in operation.get("errors", [])]
    if errors:
        kept["errors"] = errors
    for flag in ("deprecated", "authtype"):
        if flag in operation:
            kept[flag] = operation[flag]
    return kept


def reachable(shapes, roots):
    """The roots and every shape they are made of."""
    found, waiting = set(), list(roots)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        shape = shapes[name]
        waiting += [member["shape"] for member in shape.get("members", {}).values()]
        waiting += [shape[part]["shape"] for part in ("member", "key", "value") if part in shape]
    return found


def compact_model(model, paginators, wanted):
    names = sorted(wanted if wanted is not None else model["operations"])
    operations = {name: compact_operation(model["operations"][name]) for name in names}
    roots = []
    for operation in operations.values():
        roots += [operation[part] for part in ("input", "output") if part in operation]
        roots += operation.get("errors", [])
    shapes = {name: compact_shape(model["shapes"][name]) for name in sorted(reachable(model["shapes"], roots))}
    return {
        "metadata": {key: model["metadata"][key] for key in METADATA if key in model["metadata"]},
        "operations": operations,
        "pagination": {name: paginators[name] for name in names if name in paginators},
        "shapes": shapes,
    }


def render(model):
    """JSON with one line an operation and a shape: small, and a diff shows what changed."""
    def line(value):
        return json.dumps(value, separators=(",", ":"), sort_keys=False)

    parts = ['"metadata":' + line(model["metadata"])]
    for section in ("operations", "pagination", "shapes"):
        rows = [f'{line(name)}:{line(value)}' for name, value in model[section].items()]
        parts.append(f'"{section}":{{\n' + ",\n".join(rows) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def load(directory, name):
    packed = directory / (name + ".json.gz")
    if packed.exists():
        return json.loads(gzip.decompress(packed.read_bytes()))
    return json.loads((directory / (name + ".json")).read_bytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--botocore", type=pathlib.Path, help="the botocore package (default: the installed one)")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "models")
    parser.add_argument("--operations", help="comma-separated operations to keep (for one SERVICE)")
    parser.add_argument("services", nargs="*", default=sorted(SERVICES), metavar="SERVICE")
    arguments = parser.parse_args()
    if arguments.botocore is None:
        try:
            import botocore
        except ImportError:
            sys.exit("import_models: no botocore here; install python3-botocore or give --botocore DIR")
        arguments.botocore = pathlib.Path(botocore.__file__).parent
    arguments.out.mkdir(parents=True, exist_ok=True)
    for service in arguments.services or sorted(SERVICES):
        version, wanted = SERVICES[service]
        if arguments.operations:
            wanted = arguments.operations.split(",")
        directory = arguments.botocore / "data" / service / version
        paginators = load(directory, "paginators-1").get("pagination", {})
        model = compact_model(load(directory, "service-2"), paginators, wanted)
        (arguments.out / f"{service}.json").write_text(render(model))
        print(f"{service}: {len(model['operations'])} operations, {len(model['shapes'])} shapes")


if __name__ == "__main__":
    main()

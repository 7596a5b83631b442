//! The part of EC2 that clients need besides: the VPC, its subnets and its security group.
//!
//! They are fixed: nothing here is created, changed or deleted.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::identity::ACCOUNT;
use super::refusal::Refusal;
use super::service::{AwsService, Dialect, Errors, Handler, Protocol};

/// EC2.
pub static SERVICE: AwsService = AwsService {
    prefix: "ec2",
    protocol: Protocol::Query {
        version: "2016-11-15",
        dialect: Dialect { namespace: "http://ec2.amazonaws.com/doc/2016-11-15/", list: "item", wrapped: false },
    },
    handler: Handler::Fixed(call),
    errors: Errors::JSON,
    odds: None,
    conflict: None,
    provisioned: None,
};

/// The VPC that the stand-in has.
pub const VPC: &str = "vpc-0be27400000000001";
/// The VPC's addresses.
pub const VPC_CIDR: &str = "10.0.0.0/16";
/// Its subnets: id, availability zone, CIDR.
pub const SUBNETS: [(&str, &str, &str); 2] = [
    ("subnet-0be27400000000001", "us-east-1a", "10.0.1.0/24"),
    ("subnet-0be27400000000002", "us-east-1b", "10.0.2.0/24"),
];
/// Its security group; it has no inbound rules.
pub const SECURITY_GROUP: &str = "sg-0be27400000000001";

/// Whether the VPC has the address.
#[must_use]
pub fn is_in_vpc(ip: Ipv4Addr) -> bool {
    contains(VPC_CIDR, ip)
}

/// The availability zone of the subnet that has the address.
#[must_use]
pub fn zone_of(ip: Ipv4Addr) -> Option<&'static str> {
    SUBNETS.iter().find(|(_, _, cidr)| contains(cidr, ip)).map(|(_, zone, _)| *zone)
}

fn contains(cidr: &str, ip: Ipv4Addr) -> bool {
    let parsed = cidr.split_once('/').and_then(|(base, bits)| {
        let base: Ipv4Addr = base.parse().ok()?;
        let host_bits = 32_u32.checked_sub(bits.parse().ok()?)?;
        Some((base, u32::MAX.checked_shl(host_bits).unwrap_or(0)))
    });
    parsed.is_some_and(|(base, mask)| base.to_bits() & mask == ip.to_bits() & mask)
}

/// One API call.
///
/// # Errors
/// `InvalidAction` for operations that the stand-in does not support, `Invalid…ID.NotFound` for unknown ids,
/// `InvalidParameterValue` for filters it does not support.
fn call(operation: &str, input: &Value) -> Result<Value, Refusal> {
    match operation {
        "DescribeVpcs" => {
            let vpc = json!({
                "vpcId": VPC, "state": "available", "cidrBlock": VPC_CIDR, "isDefault": true, "ownerId": ACCOUNT,
            });
            Ok(json!({"vpcSet": select(input, ("VpcId", "vpcId"), vec![vpc], |id| {
                ("InvalidVpcID.NotFound", format!("The vpc ID '{id}' does not exist"))
            })?}))
        }
        "DescribeSubnets" => {
            let subnets = SUBNETS
                .iter()
                .map(|(id, zone, cidr)| {
                    json!({
                        "subnetId": id, "vpcId": VPC, "availabilityZone": zone, "cidrBlock": cidr,
                        "state": "available", "availableIpAddressCount": 251, "ownerId": ACCOUNT,
                    })
                })
                .collect();
            Ok(json!({"subnetSet": select(input, ("SubnetId", "subnetId"), subnets, |id| {
                ("InvalidSubnetID.NotFound", format!("The subnet ID '{id}' does not exist"))
            })?}))
        }
        "DescribeSecurityGroups" => {
            let group = json!({
                "groupId": SECURITY_GROUP, "groupName": "berth", "groupDescription": "services behind Berth",
                "vpcId": VPC, "ownerId": ACCOUNT, "ipPermissions": [],
                "ipPermissionsEgress": [{"ipProtocol": "-1", "ipRanges": [{"cidrIp": "0.0.0.0/0"}]}],
            });
            Ok(json!({"securityGroupInfo": select(input, ("GroupId", "groupId"), vec![group], |id| {
                ("InvalidGroup.NotFound", format!("The security group '{id}' does not exist"))
            })?}))
        }
        _ => Err(Refusal::bad("InvalidAction", format!("The action {operation} is not valid for this web service."))),
    }
}

/// The resources that the request asks for, by id and by filter; `id` is the member of the request and of a resource.
fn select(
    input: &Value,
    id: (&str, &str),
    all: Vec<Value>,
    unknown: impl Fn(&str) -> (&'static str, String),
) -> Result<Vec<Value>, Refusal> {
    let (asked_member, member) = id;
    let ids = texts(&input[asked_member]);
    if let Some(missing) = ids.iter().find(|id| all.iter().all(|resource| resource[member] != **id)) {
        let (code, message) = unknown(missing);
        return Err(Refusal::bad(code, message));
    }
    // The request's other members are about pages; all resources fit into one.
    let mut selected = all;
    selected.retain(|resource| ids.is_empty() || ids.iter().any(|id| resource[member] == *id));
    for filter in input["Filter"].as_array().into_iter().flatten() {
        let name = filter["Name"].as_str().unwrap_or_default();
        let values = texts(&filter["Value"]);
        let by = match name {
            "vpc-id" => "vpcId",
            "subnet-id" => "subnetId",
            "availability-zone" => "availabilityZone",
            "group-id" => "groupId",
            "group-name" => "groupName",
            "state" => "state",
            _ => return Err(Refusal::bad("InvalidParameterValue", format!("The filter '{name}' is invalid"))),
        };
        selected.retain(|resource| values.iter().any(|value| resource[by] == *value));
    }
    Ok(selected)
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

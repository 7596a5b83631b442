//! The part of EC2 that clients need besides: VPCs, their subnets and their security groups.
//!
//! They are fixed: nothing here is created, changed or deleted. Berth's own subnets and group are in the first VPC, with others
//! of the account beside them; the second VPC is wholly others'.

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

/// A VPC.
#[derive(Debug)]
pub struct Vpc {
    /// Its id.
    pub id: &'static str,
    /// Its addresses.
    pub cidr: &'static str,
}

/// A subnet.
#[derive(Debug)]
pub struct Subnet {
    /// Its id.
    pub id: &'static str,
    /// Its VPC's id.
    pub vpc: &'static str,
    /// Its availability zone.
    pub zone: &'static str,
    /// Its addresses.
    pub cidr: &'static str,
    /// Its tag `Name`.
    pub name: &'static str,
}

/// A security group; none has inbound rules.
#[derive(Debug)]
pub struct SecurityGroup {
    /// Its id.
    pub id: &'static str,
    /// Its VPC's id.
    pub vpc: &'static str,
    /// Its name.
    pub name: &'static str,
}

/// The VPC that Berth's environments are in.
pub const VPC: &str = "vpc-0be27400000000001";
/// A VPC of others.
pub const OTHER_VPC: &str = "vpc-0be27400000000002";
/// The VPCs.
pub static VPCS: [Vpc; 2] = [Vpc { id: VPC, cidr: "10.0.0.0/16" }, Vpc { id: OTHER_VPC, cidr: "10.1.0.0/16" }];
/// The subnets, by VPC.
#[rustfmt::skip]
pub static SUBNETS: [Subnet; 5] = [
    Subnet { id: BERTH_SUBNETS[0],           vpc: VPC,       zone: "us-east-1a", cidr: "10.0.1.0/24", name: "berth-a" },
    Subnet { id: BERTH_SUBNETS[1],           vpc: VPC,       zone: "us-east-1b", cidr: "10.0.2.0/24", name: "berth-b" },
    Subnet { id: OTHER_SUBNET,               vpc: VPC,       zone: "us-east-1a", cidr: "10.0.3.0/24", name: "databases-a" },
    Subnet { id: "subnet-0be27400000000004", vpc: OTHER_VPC, zone: "us-east-1a", cidr: "10.1.1.0/24", name: "production-a" },
    Subnet { id: "subnet-0be27400000000005", vpc: OTHER_VPC, zone: "us-east-1b", cidr: "10.1.2.0/24", name: "production-b" },
];
/// The security groups, by VPC.
#[rustfmt::skip]
pub static SECURITY_GROUPS: [SecurityGroup; 3] = [
    SecurityGroup { id: SECURITY_GROUP,         vpc: VPC,       name: "berth" },
    SecurityGroup { id: OTHER_SECURITY_GROUP,   vpc: VPC,       name: "database-clients" },
    SecurityGroup { id: "sg-0be27400000000003", vpc: OTHER_VPC, name: "production" },
];
/// Berth's own subnets, one in a zone.
pub const BERTH_SUBNETS: [&str; 2] = ["subnet-0be27400000000001", "subnet-0be27400000000002"];
/// A subnet of others in Berth's VPC.
pub const OTHER_SUBNET: &str = "subnet-0be27400000000003";
/// Berth's own security group.
pub const SECURITY_GROUP: &str = "sg-0be27400000000001";
/// A security group of others in Berth's VPC.
pub const OTHER_SECURITY_GROUP: &str = "sg-0be27400000000002";

/// The subnet, if it is there.
#[must_use]
pub fn subnet(id: &str) -> Option<&'static Subnet> {
    SUBNETS.iter().find(|subnet| subnet.id == id)
}

/// The security group, if it is there.
#[must_use]
pub fn security_group(id: &str) -> Option<&'static SecurityGroup> {
    SECURITY_GROUPS.iter().find(|group| group.id == id)
}

/// Whether the VPC has the address.
#[must_use]
pub fn is_in_vpc(vpc: &str, ip: Ipv4Addr) -> bool {
    VPCS.iter().any(|known| known.id == vpc && contains(known.cidr, ip))
}

/// The availability zone of the subnet that has the address.
#[must_use]
pub fn zone_of(ip: Ipv4Addr) -> Option<&'static str> {
    SUBNETS.iter().find(|subnet| contains(subnet.cidr, ip)).map(|subnet| subnet.zone)
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
            let vpcs = VPCS
                .iter()
                .map(|vpc| {
                    json!({
                        "vpcId": vpc.id, "state": "available", "cidrBlock": vpc.cidr, "isDefault": vpc.id == VPC,
                        "ownerId": ACCOUNT,
                    })
                })
                .collect();
            Ok(json!({"vpcSet": select(input, ("VpcId", "vpcId"), vpcs, |id| {
                ("InvalidVpcID.NotFound", format!("The vpc ID '{id}' does not exist"))
            })?}))
        }
        "DescribeSubnets" => {
            let subnets = SUBNETS
                .iter()
                .map(|subnet| {
                    json!({
                        "subnetId": subnet.id, "vpcId": subnet.vpc, "availabilityZone": subnet.zone,
                        "cidrBlock": subnet.cidr, "state": "available", "availableIpAddressCount": 251,
                        "ownerId": ACCOUNT, "tagSet": [{"key": "Name", "value": subnet.name}],
                    })
                })
                .collect();
            Ok(json!({"subnetSet": select(input, ("SubnetId", "subnetId"), subnets, |id| {
                ("InvalidSubnetID.NotFound", format!("The subnet ID '{id}' does not exist"))
            })?}))
        }
        "DescribeSecurityGroups" => {
            let groups = SECURITY_GROUPS
                .iter()
                .map(|group| {
                    json!({
                        "groupId": group.id, "groupName": group.name, "groupDescription": group.name,
                        "vpcId": group.vpc, "ownerId": ACCOUNT, "ipPermissions": [],
                        "ipPermissionsEgress": [{"ipProtocol": "-1", "ipRanges": [{"cidrIp": "0.0.0.0/0"}]}],
                    })
                })
                .collect();
            Ok(json!({"securityGroupInfo": select(input, ("GroupId", "groupId"), groups, |id| {
                ("InvalidGroup.NotFound", format!("The security group '{id}' does not exist"))
            })?}))
        }
        _ => Err(Refusal::bad("InvalidAction", format!("berth-local does not play EC2's {operation}."))),
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
            "vpc-id" => "/vpcId",
            "subnet-id" => "/subnetId",
            "availability-zone" => "/availabilityZone",
            "group-id" => "/groupId",
            "group-name" => "/groupName",
            "state" => "/state",
            "tag:Name" => "/tagSet/0/value",
            _ => return Err(Refusal::bad("InvalidParameterValue", format!("The filter '{name}' is invalid"))),
        };
        selected.retain(|resource| values.iter().any(|value| resource.pointer(by).is_some_and(|found| found == value)));
    }
    Ok(selected)
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

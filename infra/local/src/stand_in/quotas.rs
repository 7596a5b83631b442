//! The quotas of an account that AWS raises on request (docs/aws.md#quotas). The fixed ones (50 listeners for each load balancer,
//! 600 REST APIs) are constants beside the code that applies them.

/// How much an account may have at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quotas {
    /// Network load balancers; AWS's default is 50.
    pub load_balancers: usize,
    /// V1 VPC links; AWS's default is 20.
    pub vpc_links: usize,
    /// Resources of one REST API; AWS's default is 300.
    pub resources: usize,
    /// Stages of one REST API; AWS's default is 10.
    pub stages: usize,
    /// Calls of Lambda functions at one time. AWS's default is 1,000; a new account may have 10.
    pub concurrent_calls: usize,
    /// Fargate vCPUs. AWS's default is 6, raised on request; 100 here, so that 400 of the smallest tasks can run.
    pub fargate_vcpus: f64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            load_balancers: 50,
            vpc_links: 20,
            resources: 300,
            stages: 10,
            concurrent_calls: 1_000,
            fargate_vcpus: 100.0,
        }
    }
}

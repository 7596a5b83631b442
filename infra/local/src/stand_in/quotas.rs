//! The quotas of an account that AWS raises on request. The fixed ones (50 listeners for each load balancer, 600 REST
//! APIs, 10 stages for each …) are constants beside the code that applies them.

/// How much an account may have at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quotas {
    /// Network load balancers; AWS's default is 50.
    pub load_balancers: usize,
    /// V1 VPC links; AWS's default is 20.
    pub vpc_links: usize,
    /// Resources of one REST API; AWS's default is 300.
    pub resources: usize,
    /// Fargate vCPUs. AWS's default is 6, raised on request; 100 here, so that 400 of the smallest tasks can run.
    pub fargate_vcpus: f64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { load_balancers: 50, vpc_links: 20, resources: 300, fargate_vcpus: 100.0 }
    }
}

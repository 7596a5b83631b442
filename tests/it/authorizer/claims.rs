//! Team and role from wherever an issuer puts them.

use super::*;

/// Team and role of the caller with this token, or the refusal.
async fn who(variables: &[(&str, &str)], members: Value) -> Result<(String, String), String> {
    let gate = Gate::with(variables);
    let token = gate.token(members);
    match gate.ask(&token).await {
        Ok(answer) => {
            let field = |name: &str| answer["context"][name].as_str().expect("a string").to_owned();
            Ok((field("team"), field("role")))
        }
        Err(_) => Err(gate.refusal(&token).await),
    }
}

fn is(team: &str, role: &str) -> Result<(String, String), String> {
    Ok((team.to_owned(), role.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn the_team_is_read_by_name_or_by_pointer_from_a_string_or_a_list_of_one() {
    let team = |place: &'static str| [("BERTH_TEAM_CLAIM", place)];
    assert_eq!(who(&team("custom:team"), json!({"custom:team": "blue"})).await, is("blue", "member"));
    assert_eq!(who(&team("/custom:team"), json!({"custom:team": "blue"})).await, is("blue", "member"));
    let url = "https://example.com/team";
    assert_eq!(who(&team(url), json!({url: "blue"})).await, is("blue", "member"));
    assert_eq!(who(&team("/org/unit"), json!({"org": {"unit": "blue"}})).await, is("blue", "member"));
    assert_eq!(who(&team("/groups/1"), json!({"groups": ["staff", "blue"]})).await, is("blue", "member"));
    assert_eq!(who(&team("/a~1b/c~0d"), json!({"a/b": {"c~d": "blue"}})).await, is("blue", "member"));
    assert_eq!(who(&team("groups"), json!({"groups": ["blue"]})).await, is("blue", "member"));
    assert_eq!(who(&team(""), json!({"team": "blue"})).await, is("blue", "member"));
}

#[tokio::test(start_paused = true)]
async fn a_token_without_exactly_one_team_is_refused_with_the_reason() {
    let groups = [("BERTH_TEAM_CLAIM", "/groups")];
    let several = who(&groups, json!({"groups": ["blue", "green"]})).await;
    assert_eq!(several, Err("The token names several teams in `/groups`; it must name exactly one.".to_owned()));
    for odd in [json!(null), json!([]), json!([7]), json!(7), json!(true), json!({"blue": true}), json!([["blue"]])] {
        let refused = who(&groups, json!({"groups": odd})).await;
        let message = "The token names no team: the claim `/groups` must be a team's name.";
        assert_eq!(refused, Err(message.to_owned()), "{odd}");
    }
    let shape = "The token's team is not 1 to 40 lower-case letters, digits and inner hyphens.";
    assert_eq!(who(&groups, json!({"groups": "Blue Team"})).await, Err(shape.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn only_who_has_the_operators_role_is_an_operator() {
    let roles = [("BERTH_ROLE_CLAIM", "/realm_access/roles"), ("BERTH_OPERATOR_ROLE", "berth-ops")];
    let of = |roles: Value| json!({"realm_access": {"roles": roles}});
    assert_eq!(who(&roles, of(json!(["staff", "berth-ops"]))).await, is("demo", "operator"));
    assert_eq!(who(&roles, of(json!("berth-ops"))).await, is("demo", "operator"));
    for other in [
        json!("operator"),
        json!(["operator"]),
        json!("berth-ops staff"),
        json!("Berth-Ops"),
        json!([["berth-ops"]]),
        json!({"berth-ops": true}),
        json!([]),
        json!(7),
    ] {
        assert_eq!(who(&roles, of(other.clone())).await, is("demo", "member"), "{other}");
    }
    assert_eq!(who(&roles, json!({"role": "berth-ops"})).await, is("demo", "member"));
    assert_eq!(who(&[], json!({"role": "operator"})).await, is("demo", "operator"));
    assert_eq!(who(&[], json!({})).await, is("demo", "member"));
}

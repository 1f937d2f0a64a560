//! Pure: as whom a container runs. Images name users and groups by number or by name.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/config.md#properties>

/// As whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The user's number.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
    /// The numbers of other groups that it is in.
    pub additional_gids: Vec<u32>,
}

/// The texts of an image's `/etc/passwd` and `/etc/group`; empty where there is none.
#[derive(Clone, Debug, Default)]
pub struct UserDatabase {
    /// Users.
    pub passwd: String,
    /// Groups.
    pub group: String,
}

/// Whom `USER`, `USER:GROUP` or nothing means.
///
/// # Errors
/// A sentence on who is not in the image.
pub fn user(text: &str, database: &UserDatabase) -> Result<User, String> {
    let (name, group) = match text.split_once(':') {
        Some((name, group)) => (name, Some(group)),
        None => (text, None),
    };
    let name = if name.is_empty() { "0" } else { name };
    let passwd = entries(&database.passwd);
    let wanted: Option<u32> = name.parse().ok();
    // An empty line or a comment has no number, and a name is none.
    let is_named = |fields: &&Vec<&str>| fields[0] == name || wanted.is_some() && number(fields.get(2)) == wanted;
    let entry = passwd.iter().find(is_named);
    let uid = wanted.or_else(|| number(entry?.get(2)));
    let uid = uid.ok_or_else(|| format!("the image's user is `{name}`, and its /etc/passwd has none of that name"))?;
    let groups = entries(&database.group);
    let gid = match group.filter(|group| !group.is_empty()) {
        Some(group) => {
            let found = groups.iter().find(|fields| fields[0] == group);
            let gid = group.parse().ok().or_else(|| number(found?.get(2)));
            gid.ok_or_else(|| format!("the image's group is `{group}`, and its /etc/group has none of that name"))?
        }
        None => entry.and_then(|entry| number(entry.get(3))).unwrap_or_default(),
    };
    // /etc/group lists members by name. With an explicit group, no supplementary groups are added.
    let member = entry.map(|entry| entry[0]).filter(|_| group.is_none());
    let is_in = |fields: &&Vec<&str>| {
        member.is_some_and(|member| {
            fields
                .get(3)
                .is_some_and(|all| all.split(',').any(|name| name == member))
        })
    };
    let additional = groups.iter().filter(is_in).filter_map(|fields| number(fields.get(2)));
    Ok(User {
        uid,
        gid,
        additional_gids: additional.filter(|additional_gid| *additional_gid != gid).collect(),
    })
}

fn entries(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split(':').collect()).collect()
}

fn number(field: Option<&&str>) -> Option<u32> {
    field?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_found() {
        let database = UserDatabase {
            passwd: "# users\n\n+::::::\nroot:x:0:0::/root:/bin/sh\nmysql:x:999:998::/:/bin/sh\n".to_owned(),
            group: "\nroot:x:0:\nmysql:x:998:\nssl:x:50:www,mysql\n".to_owned(),
        };
        let is = |uid, gid, additional: &[u32]| {
            Ok(User {
                uid,
                gid,
                additional_gids: additional.to_vec(),
            })
        };
        for (text, expected) in [
            ("", is(0, 0, &[])),
            ("65532", is(65532, 0, &[])),
            ("65532:7", is(65532, 7, &[])),
            ("mysql", is(999, 998, &[50])),
            ("999", is(999, 998, &[50])),
            ("mysql:ssl", is(999, 50, &[])),
            (":ssl", is(0, 50, &[])),
        ] {
            assert_eq!(user(text, &database), expected, "{text}");
        }
        for (text, missing) in [("www", "`www`"), ("mysql:none", "`none`")] {
            assert!(user(text, &database).unwrap_err().contains(missing), "{text}");
        }
        assert_eq!(user("65532", &UserDatabase::default()), is(65532, 0, &[]));
    }
}

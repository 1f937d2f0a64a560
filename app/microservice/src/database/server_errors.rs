//! What the errors of the server mean: a table, and a rule for what is not in it.
//!
//! Numbers and names are those of MariaDB: <https://mariadb.com/docs/server/reference/error-codes>, `perror NUMBER` tells
//! the message. Those marked MySQL are <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>.

use mysql_async::ServerError;

/// What an error means for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The server cannot do it just now; the statement did nothing.
    NotNow,
    /// The same, and the session or its node is of no more use: the next attempt should have another connection.
    NotHere,
    /// It may or may not have been done.
    Unknown,
    /// The statement took too long, and was rolled back.
    TooSlow,
    /// A table or a column is not there: the tables are those of an older version.
    SchemaBehind,
    /// The user lacks a privilege: somebody must grant it.
    Denied,
    /// The statement is larger than the server takes.
    TooLarge,
    /// A row with this key exists.
    Duplicate,
    /// Other rows refer to this one, or there is no row that this one refers to: a foreign key.
    Reference,
    /// The database has a rule that these values break: a check, a trigger, a narrower column.
    Rule,
    /// The database's administrator has changed something in such a way that it cannot be done, whatever the values.
    Misfit,
    /// The service asked for something wrong.
    Fault,
}

use Meaning::{Denied, Duplicate, Misfit, NotHere, NotNow, Reference, Rule, SchemaBehind, TooLarge, TooSlow, Unknown};

/// The table, by number.
const TABLE: &[(u16, Meaning, &str)] = &[
    (167, Misfit, "HA_ERR_AUTOINC_ERANGE"), // of a table whose numbers are used up, whatever the values
    (1005, NotNow, "ER_CANT_CREATE_TABLE"),
    (1015, NotNow, "ER_CANT_LOCK"),
    (1016, NotNow, "ER_CANT_OPEN_FILE"),
    (1020, NotNow, "ER_CHECKREAD"),
    (1021, NotNow, "ER_DISK_FULL"),
    (1022, Duplicate, "ER_DUP_KEY"),
    (1023, NotNow, "ER_ERROR_ON_CLOSE"),
    (1024, NotNow, "ER_ERROR_ON_READ"),
    (1026, NotNow, "ER_ERROR_ON_WRITE"),
    (1028, NotNow, "ER_FILSORT_ABORT"),
    (1030, NotNow, "ER_GET_ERRNO"),
    (1031, Misfit, "ER_ILLEGAL_HA"), // the engine cannot do it
    (1033, NotNow, "ER_NOT_FORM_FILE"),
    (1034, NotNow, "ER_NOT_KEYFILE"),
    (1035, NotNow, "ER_OLD_KEYFILE"),
    (1036, NotHere, "ER_OPEN_AS_READONLY"),
    (1037, NotNow, "ER_OUTOFMEMORY"),
    (1038, NotNow, "ER_OUT_OF_SORTMEMORY"),
    (1040, NotNow, "ER_CON_COUNT_ERROR"),
    (1041, NotNow, "ER_OUT_OF_RESOURCES"),
    (1044, Denied, "ER_DBACCESS_DENIED_ERROR"),
    (1045, Denied, "ER_ACCESS_DENIED_ERROR"),
    (1046, NotHere, "ER_NO_DB_ERROR"),
    (1047, NotHere, "ER_UNKNOWN_COM_ERROR"), // Galera: "WSREP has not yet prepared node for application use"
    (1048, Rule, "ER_BAD_NULL_ERROR"),       // a trigger, or a column that somebody added
    (1049, NotHere, "ER_BAD_DB_ERROR"),
    (1053, NotHere, "ER_SERVER_SHUTDOWN"),
    (1054, SchemaBehind, "ER_BAD_FIELD_ERROR"),
    (1062, Duplicate, "ER_DUP_ENTRY"),
    (1077, NotHere, "ER_NORMAL_SHUTDOWN"),
    (1078, NotHere, "ER_GOT_SIGNAL"),
    (1079, NotHere, "ER_SHUTDOWN_COMPLETE"),
    (1080, NotHere, "ER_FORCING_CLOSE"),
    (1105, NotNow, "ER_UNKNOWN_ERROR"), // what proxies such as MaxScale answer for a server that is away
    (1114, NotNow, "ER_RECORD_FILE_FULL"),
    (1119, NotNow, "ER_STACK_OVERRUN"),
    (1129, NotNow, "ER_HOST_IS_BLOCKED"),
    (1130, Denied, "ER_HOST_NOT_PRIVILEGED"),
    (1135, NotNow, "ER_CANT_CREATE_THREAD"),
    (1142, Denied, "ER_TABLEACCESS_DENIED_ERROR"),
    (1143, Denied, "ER_COLUMNACCESS_DENIED_ERROR"),
    (1146, SchemaBehind, "ER_NO_SUCH_TABLE"),
    (1152, NotHere, "ER_ABORTING_CONNECTION"),
    (1153, TooLarge, "ER_NET_PACKET_TOO_LARGE"),
    (1154, NotHere, "ER_NET_READ_ERROR_FROM_PIPE"),
    (1155, NotHere, "ER_NET_FCNTL_ERROR"),
    (1156, NotHere, "ER_NET_PACKETS_OUT_OF_ORDER"),
    (1157, NotHere, "ER_NET_UNCOMPRESS_ERROR"),
    (1158, NotHere, "ER_NET_READ_ERROR"),
    (1159, NotHere, "ER_NET_READ_INTERRUPTED"),
    (1160, NotHere, "ER_NET_ERROR_ON_WRITE"),
    (1161, NotHere, "ER_NET_WRITE_INTERRUPTED"),
    (1180, Unknown, "ER_ERROR_DURING_COMMIT"),
    (1181, NotHere, "ER_ERROR_DURING_ROLLBACK"),
    (1184, NotHere, "ER_NEW_ABORTING_CONNECTION"),
    (1192, NotHere, "ER_LOCK_OR_ACTIVE_TRANSACTION"),
    (1194, NotNow, "ER_CRASHED_ON_USAGE"),
    (1195, NotNow, "ER_CRASHED_ON_REPAIR"),
    (1197, TooLarge, "ER_TRANS_CACHE_FULL"),
    (1203, NotNow, "ER_TOO_MANY_USER_CONNECTIONS"),
    (1205, NotNow, "ER_LOCK_WAIT_TIMEOUT"),
    (1206, NotNow, "ER_LOCK_TABLE_FULL"),
    (1207, NotHere, "ER_READ_ONLY_TRANSACTION"),
    (1213, NotNow, "ER_LOCK_DEADLOCK"),
    (1216, Reference, "ER_NO_REFERENCED_ROW"),
    (1217, Reference, "ER_ROW_IS_REFERENCED"),
    (1223, NotNow, "ER_CANT_UPDATE_WITH_READLOCK"),
    (1226, NotNow, "ER_USER_LIMIT_REACHED"),
    (1227, Denied, "ER_SPECIFIC_ACCESS_DENIED_ERROR"),
    (1242, Misfit, "ER_SUBQUERY_NO_1_ROW"),
    (1264, Rule, "ER_WARN_DATA_OUT_OF_RANGE"),
    (1265, Rule, "WARN_DATA_TRUNCATED"),
    (1288, Misfit, "ER_NON_UPDATABLE_TABLE"),
    (1290, NotHere, "ER_OPTION_PREVENTS_STATEMENT"), // --read-only
    (1292, Rule, "ER_TRUNCATED_WRONG_VALUE"),
    (1296, NotNow, "ER_GET_ERRMSG"),
    (1297, NotNow, "ER_GET_TEMPORARY_ERRMSG"),
    (1301, TooLarge, "ER_WARN_ALLOWED_PACKET_OVERFLOWED"),
    (1305, Misfit, "ER_SP_DOES_NOT_EXIST"), // of a trigger
    (1317, NotNow, "ER_QUERY_INTERRUPTED"),
    (1318, Misfit, "ER_SP_WRONG_NO_OF_ARGS"), // of a trigger
    (1356, Misfit, "ER_VIEW_INVALID"),
    (1364, Misfit, "ER_NO_DEFAULT_FOR_FIELD"), // of a column that somebody added
    (1366, Rule, "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD"),
    (1369, Rule, "ER_VIEW_CHECK_FAILED"),
    (1370, Denied, "ER_PROCACCESS_DENIED_ERROR"),
    (1406, Rule, "ER_DATA_TOO_LONG"),
    (1412, NotNow, "ER_TABLE_DEF_CHANGED"),
    (1419, Denied, "ER_BINLOG_CREATE_ROUTINE_NEED_SUPER"),
    (1422, Misfit, "ER_COMMIT_NOT_ALLOWED_IN_SF_OR_TRG"),
    (1429, NotNow, "ER_CONNECT_TO_FOREIGN_DATA_SOURCE"),
    (1436, NotNow, "ER_STACK_OVERRUN_NEED_MORE"),
    (1442, Misfit, "ER_CANT_UPDATE_USED_TABLE_IN_SF_OR_TRG"),
    (1449, Denied, "ER_NO_SUCH_USER"), // who made a trigger is gone
    (1451, Reference, "ER_ROW_IS_REFERENCED_2"),
    (1452, Reference, "ER_NO_REFERENCED_ROW_2"),
    (1456, Misfit, "ER_SP_RECURSION_LIMIT"),
    (1461, NotNow, "ER_MAX_PREPARED_STMT_COUNT_REACHED"),
    (1467, Misfit, "ER_AUTOINC_READ_FAILED"),
    (1471, Misfit, "ER_NON_INSERTABLE_TABLE"),
    (1526, Rule, "ER_NO_PARTITION_FOR_GIVEN_VALUE"),
    (1557, Reference, "ER_FOREIGN_DUPLICATE_KEY"),
    (1568, NotHere, "ER_CANT_CHANGE_TX_CHARACTERISTICS"),
    (1586, Duplicate, "ER_DUP_ENTRY_WITH_KEY_NAME"),
    (1598, NotNow, "ER_BINLOG_LOGGING_IMPOSSIBLE"),
    (1613, NotNow, "ER_XA_RBTIMEOUT"),
    (1614, NotNow, "ER_XA_RBDEADLOCK"),
    (1615, NotNow, "ER_NEED_REPREPARE"),
    (1622, NotNow, "ER_WARN_ENGINE_TRANSACTION_ROLLBACK"),
    (1637, NotNow, "ER_TOO_MANY_CONCURRENT_TRXS"),
    (1643, Rule, "ER_SIGNAL_NOT_FOUND"), // a trigger's SIGNAL
    (1644, Rule, "ER_SIGNAL_EXCEPTION"), // a trigger's SIGNAL
    (1645, Misfit, "ER_RESIGNAL_WITHOUT_ACTIVE_HANDLER"),
    (1665, NotNow, "ER_BINLOG_STMT_MODE_AND_ROW_ENGINE"),
    (1689, NotNow, "ER_LOCK_ABORTED"),
    (1690, Rule, "ER_DATA_OUT_OF_RANGE"),
    (1698, Denied, "ER_ACCESS_DENIED_NO_PASSWORD_ERROR"),
    (1712, NotNow, "ER_INDEX_CORRUPT"),
    (1728, NotNow, "ER_CANNOT_LOAD_FROM_TABLE_V2"),
    (1748, Rule, "ER_ROW_DOES_NOT_MATCH_GIVEN_PARTITION_SET"),
    (1761, Reference, "ER_FOREIGN_DUPLICATE_KEY_WITH_CHILD_INFO"),
    (1762, Reference, "ER_FOREIGN_DUPLICATE_KEY_WITHOUT_CHILD_INFO"),
    (1785, NotNow, "ER_GTID_UNSAFE_NON_TRANSACTIONAL_TABLE"),
    (1792, NotHere, "ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION"),
    (1812, NotNow, "ER_TABLESPACE_MISSING"),
    (1817, NotNow, "ER_INNODB_INDEX_CORRUPT"),
    (1820, Denied, "ER_MUST_CHANGE_PASSWORD"),
    (1836, NotHere, "ER_READ_ONLY_MODE"),
    (1862, Denied, "ER_MUST_CHANGE_PASSWORD_LOGIN"),
    (1873, Denied, "ER_ACCESS_DENIED_CHANGE_USER_ERROR"),
    (1874, NotHere, "ER_INNODB_READ_ONLY"),
    (1877, NotNow, "ER_TABLE_CORRUPT"),
    (1878, NotNow, "ER_TEMP_FILE_WRITE_FAILURE"),
    (1881, NotHere, "ER_INNODB_FORCED_RECOVERY"), // MySQL
    (1906, Misfit, "ER_WARNING_NON_DEFAULT_VALUE_FOR_GENERATED_COLUMN"),
    (1927, NotHere, "ER_CONNECTION_KILLED"),
    (1932, NotNow, "ER_NO_SUCH_TABLE_IN_ENGINE"),
    (1950, NotNow, "ER_GTID_STRICT_OUT_OF_ORDER"),
    (1969, TooSlow, "ER_STATEMENT_TIMEOUT"),
    (2002, NotHere, "CR_CONNECTION_ERROR"), // of a client, as proxies tell what they met: MaxScale
    (2003, NotHere, "CR_CONN_HOST_ERROR"),  // the same
    (2006, NotHere, "CR_SERVER_GONE_ERROR"), // the same
    (2013, Unknown, "CR_SERVER_LOST"),      // the same
    (3015, NotNow, "ER_ENGINE_OUT_OF_MEMORY"),
    (3019, NotNow, "ER_INNODB_UNDO_LOG_FULL"),
    (3024, TooSlow, "ER_QUERY_TIMEOUT"),       // MySQL
    (3032, NotHere, "ER_SERVER_OFFLINE_MODE"), // MySQL
    (3044, NotNow, "ER_STD_BAD_ALLOC_ERROR"),
    (3058, NotNow, "ER_USER_LOCK_DEADLOCK"),
    (3100, NotNow, "ER_RUN_HOOK_ERROR"), // MySQL, group replication
    (3101, NotNow, "ER_TRANSACTION_ROLLBACK_DURING_COMMIT"), // MySQL, group replication
    (3105, Misfit, "ER_NON_DEFAULT_VALUE_FOR_GENERATED_COLUMN"), // MySQL
    (3168, NotHere, "ER_SERVER_ISNT_AVAILABLE"), // MySQL
    (3169, NotHere, "ER_SESSION_WAS_KILLED"), // MySQL
    (3170, NotNow, "ER_CAPACITY_EXCEEDED"), // MySQL
    (3572, NotNow, "ER_LOCK_NOWAIT"),    // MySQL
    (3819, Rule, "ER_CHECK_CONSTRAINT_VIOLATED"), // MySQL
    (4025, Rule, "ER_CONSTRAINT_FAILED"),
    (4031, NotHere, "ER_CLIENT_INTERACTION_TIMEOUT"), // MySQL
    (4139, NotNow, "ER_INDEX_FILE_FULL"),
    (4145, NotNow, "ER_BACKUP_LOCK_IS_ACTIVE"),
    (4150, Denied, "ER_USER_IS_BLOCKED"),
    (4151, Denied, "ER_ACCOUNT_HAS_BEEN_LOCKED"),
    (4165, NotNow, "ER_GALERA_REPLICATION_NOT_SUPPORTED"),
    (9001, NotNow, "PROXYSQL_MAX_CONNECT_TIMEOUT"), // ProxySQL: no server of the group could be reached
];

/// What an error of the server means. What is not in the table is judged by the class of its SQLSTATE:
/// <https://mariadb.com/docs/server/reference/error-codes/sqlstate>. Numbers below 1000 are those of its own library and of
/// storage engines: `include/mysys_err.h` and `include/my_base.h` of MariaDB.
pub fn meaning(error: &ServerError) -> Meaning {
    if let Ok(index) = TABLE.binary_search_by_key(&error.code, |(number, ..)| *number) {
        return TABLE.get(index).map_or(Meaning::Fault, |(_, meaning, _)| *meaning);
    }
    // Of the server's files, memory and storage engines: a full disk, a limit of temporary space.
    if error.code < 1_000 {
        return NotNow;
    }
    match error.state.get(..2) {
        // Connection exception; invalid transaction state.
        Some("08" | "25") => NotHere,
        // Transaction rollback; insufficient resources; operator intervention; system error; interrupted.
        Some("40" | "53" | "57" | "58" | "70") => NotNow,
        // Invalid authorization.
        Some("28") => Denied,
        // Integrity constraint violation.
        Some("23") => Reference,
        // Data exception; check option violation; a condition that a trigger signals.
        Some("22" | "44" | "45") => Rule,
        // Cardinality violation.
        Some("21") => Misfit,
        _ => Meaning::Fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: u16, state: &str) -> ServerError {
        ServerError {
            code,
            message: String::new(),
            state: state.to_owned(),
        }
    }

    #[test]
    fn the_table_is_in_the_order_of_its_numbers() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn errors_mean_what_they_say() {
        for (code, state, expected) in [
            (1047, "08S01", NotHere),
            (1159, "HY000", NotHere),
            (1036, "HY000", NotHere),
            (1223, "HY000", NotNow),
            (1637, "HY000", NotNow),
            (1153, "08S01", TooLarge),
            (1062, "23000", Duplicate),
            (1146, "42S02", SchemaBehind),
            (1969, "70100", TooSlow),
            (2013, "HY000", Unknown),
            (9001, "HY000", NotNow),
            (1451, "23000", Reference),
            (1452, "23000", Reference),
            (4025, "23000", Rule),
            (3819, "HY000", Rule),
            (1644, "45000", Rule),
            (1364, "HY000", Misfit),
            (1005, "HY000", NotNow),
            (1467, "HY000", Misfit),
            (167, "22003", Misfit),
            (3, "HY000", NotNow),
            (201, "HY000", NotNow),
            // Not in the table.
            (9999, "08000", NotHere),
            (9999, "40001", NotNow),
            (9999, "25006", NotHere),
            (9999, "23000", Reference),
            (9999, "22001", Rule),
            (9999, "45001", Rule),
            (9999, "21000", Misfit),
            (9999, "HY000", Meaning::Fault),
            (1064, "42000", Meaning::Fault),
            (9999, "", Meaning::Fault),
        ] {
            assert_eq!(meaning(&error(code, state)), expected, "{code} {state}");
        }
    }
}

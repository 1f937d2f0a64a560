//! Classifies the errors of the server, by a table, and by SQLSTATE for those that are not in it.
//!
//! Numbers and names are those of MariaDB: <https://mariadb.com/docs/server/reference/error-codes>, `perror NUMBER`
//! prints the message. Those marked MySQL are
//! <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>.

use mysql_async::ServerError;

/// What an error means for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The server cannot execute the statement at the moment; it changed nothing.
    Temporary,
    /// As `Temporary`, but the session or the server cannot be used any more: the next attempt needs a new connection.
    Reconnect,
    /// The statement may or may not have been executed.
    OutcomeUnknown,
    /// The statement timed out and was rolled back.
    Timeout,
    /// A table or a column is missing: the schema has an older version.
    SchemaBehind,
    /// The user lacks a privilege.
    Denied,
    /// The statement is larger than `max_allowed_packet`.
    TooLarge,
    /// A row with the same key exists.
    Duplicate,
    /// A foreign key: other rows refer to this one, or the row that this one refers to is missing.
    ForeignKey,
    /// The values violate a constraint: a check, a trigger, the width of a column.
    Constraint,
    /// An administrator has changed the schema so that the statement fails, whatever the values.
    SchemaChanged,
    /// A bug in the service.
    Internal,
}

use ErrorClass::{
    Constraint, Denied, Duplicate, ForeignKey, OutcomeUnknown, Reconnect, SchemaBehind, SchemaChanged, Temporary,
    Timeout, TooLarge,
};

/// Sorted by number.
const ERROR_CLASSES: &[(u16, ErrorClass, &str)] = &[
    (167, SchemaChanged, "HA_ERR_AUTOINC_ERANGE"), // of a table whose numbers are used up, whatever the values
    (1005, Temporary, "ER_CANT_CREATE_TABLE"),
    (1015, Temporary, "ER_CANT_LOCK"),
    (1016, Temporary, "ER_CANT_OPEN_FILE"),
    (1020, Temporary, "ER_CHECKREAD"),
    (1021, Temporary, "ER_DISK_FULL"),
    (1022, Duplicate, "ER_DUP_KEY"),
    (1023, Temporary, "ER_ERROR_ON_CLOSE"),
    (1024, Temporary, "ER_ERROR_ON_READ"),
    (1026, Temporary, "ER_ERROR_ON_WRITE"),
    (1028, Temporary, "ER_FILSORT_ABORT"),
    (1030, Temporary, "ER_GET_ERRNO"),
    (1031, SchemaChanged, "ER_ILLEGAL_HA"), // the engine cannot do it
    (1033, Temporary, "ER_NOT_FORM_FILE"),
    (1034, Temporary, "ER_NOT_KEYFILE"),
    (1035, Temporary, "ER_OLD_KEYFILE"),
    (1036, Reconnect, "ER_OPEN_AS_READONLY"),
    (1037, Temporary, "ER_OUTOFMEMORY"),
    (1038, Temporary, "ER_OUT_OF_SORTMEMORY"),
    (1040, Temporary, "ER_CON_COUNT_ERROR"),
    (1041, Temporary, "ER_OUT_OF_RESOURCES"),
    (1044, Denied, "ER_DBACCESS_DENIED_ERROR"),
    (1045, Denied, "ER_ACCESS_DENIED_ERROR"),
    (1046, Reconnect, "ER_NO_DB_ERROR"),
    (1047, Reconnect, "ER_UNKNOWN_COM_ERROR"), // Galera: "WSREP has not yet prepared node for application use"
    (1048, Constraint, "ER_BAD_NULL_ERROR"),   // a trigger, or a column that an administrator added
    (1049, Reconnect, "ER_BAD_DB_ERROR"),
    (1053, Reconnect, "ER_SERVER_SHUTDOWN"),
    (1054, SchemaBehind, "ER_BAD_FIELD_ERROR"),
    (1062, Duplicate, "ER_DUP_ENTRY"),
    (1077, Reconnect, "ER_NORMAL_SHUTDOWN"),
    (1078, Reconnect, "ER_GOT_SIGNAL"),
    (1079, Reconnect, "ER_SHUTDOWN_COMPLETE"),
    (1080, Reconnect, "ER_FORCING_CLOSE"),
    (1105, Temporary, "ER_UNKNOWN_ERROR"), // what proxies such as MaxScale respond when the server is unreachable
    (1114, Temporary, "ER_RECORD_FILE_FULL"),
    (1119, Temporary, "ER_STACK_OVERRUN"),
    (1129, Temporary, "ER_HOST_IS_BLOCKED"),
    (1130, Denied, "ER_HOST_NOT_PRIVILEGED"),
    (1135, Temporary, "ER_CANT_CREATE_THREAD"),
    (1142, Denied, "ER_TABLEACCESS_DENIED_ERROR"),
    (1143, Denied, "ER_COLUMNACCESS_DENIED_ERROR"),
    (1146, SchemaBehind, "ER_NO_SUCH_TABLE"),
    (1152, Reconnect, "ER_ABORTING_CONNECTION"),
    (1153, TooLarge, "ER_NET_PACKET_TOO_LARGE"),
    (1154, Reconnect, "ER_NET_READ_ERROR_FROM_PIPE"),
    (1155, Reconnect, "ER_NET_FCNTL_ERROR"),
    (1156, Reconnect, "ER_NET_PACKETS_OUT_OF_ORDER"),
    (1157, Reconnect, "ER_NET_UNCOMPRESS_ERROR"),
    (1158, Reconnect, "ER_NET_READ_ERROR"),
    (1159, Reconnect, "ER_NET_READ_INTERRUPTED"),
    (1160, Reconnect, "ER_NET_ERROR_ON_WRITE"),
    (1161, Reconnect, "ER_NET_WRITE_INTERRUPTED"),
    (1180, OutcomeUnknown, "ER_ERROR_DURING_COMMIT"),
    (1181, Reconnect, "ER_ERROR_DURING_ROLLBACK"),
    (1184, Reconnect, "ER_NEW_ABORTING_CONNECTION"),
    (1192, Reconnect, "ER_LOCK_OR_ACTIVE_TRANSACTION"),
    (1194, Temporary, "ER_CRASHED_ON_USAGE"),
    (1195, Temporary, "ER_CRASHED_ON_REPAIR"),
    (1197, TooLarge, "ER_TRANS_CACHE_FULL"),
    (1203, Temporary, "ER_TOO_MANY_USER_CONNECTIONS"),
    (1205, Temporary, "ER_LOCK_WAIT_TIMEOUT"),
    (1206, Temporary, "ER_LOCK_TABLE_FULL"),
    (1207, Reconnect, "ER_READ_ONLY_TRANSACTION"),
    (1213, Temporary, "ER_LOCK_DEADLOCK"),
    (1216, ForeignKey, "ER_NO_REFERENCED_ROW"),
    (1217, ForeignKey, "ER_ROW_IS_REFERENCED"),
    (1223, Temporary, "ER_CANT_UPDATE_WITH_READLOCK"),
    (1226, Temporary, "ER_USER_LIMIT_REACHED"),
    (1227, Denied, "ER_SPECIFIC_ACCESS_DENIED_ERROR"),
    (1242, SchemaChanged, "ER_SUBQUERY_NO_1_ROW"),
    (1264, Constraint, "ER_WARN_DATA_OUT_OF_RANGE"),
    (1265, Constraint, "WARN_DATA_TRUNCATED"),
    (1288, SchemaChanged, "ER_NON_UPDATABLE_TABLE"),
    (1290, Reconnect, "ER_OPTION_PREVENTS_STATEMENT"), // --read-only
    (1292, Constraint, "ER_TRUNCATED_WRONG_VALUE"),
    (1296, Temporary, "ER_GET_ERRMSG"),
    (1297, Temporary, "ER_GET_TEMPORARY_ERRMSG"),
    (1301, TooLarge, "ER_WARN_ALLOWED_PACKET_OVERFLOWED"),
    (1305, SchemaChanged, "ER_SP_DOES_NOT_EXIST"), // of a trigger
    (1317, Temporary, "ER_QUERY_INTERRUPTED"),
    (1318, SchemaChanged, "ER_SP_WRONG_NO_OF_ARGS"), // of a trigger
    (1356, SchemaChanged, "ER_VIEW_INVALID"),
    (1364, SchemaChanged, "ER_NO_DEFAULT_FOR_FIELD"), // of a column that an administrator added
    (1366, Constraint, "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD"),
    (1369, Constraint, "ER_VIEW_CHECK_FAILED"),
    (1370, Denied, "ER_PROCACCESS_DENIED_ERROR"),
    (1406, Constraint, "ER_DATA_TOO_LONG"),
    (1412, Temporary, "ER_TABLE_DEF_CHANGED"),
    (1419, Denied, "ER_BINLOG_CREATE_ROUTINE_NEED_SUPER"),
    (1422, SchemaChanged, "ER_COMMIT_NOT_ALLOWED_IN_SF_OR_TRG"),
    (1429, Temporary, "ER_CONNECT_TO_FOREIGN_DATA_SOURCE"),
    (1436, Temporary, "ER_STACK_OVERRUN_NEED_MORE"),
    (1442, SchemaChanged, "ER_CANT_UPDATE_USED_TABLE_IN_SF_OR_TRG"),
    (1449, Denied, "ER_NO_SUCH_USER"), // the definer of a trigger was dropped
    (1451, ForeignKey, "ER_ROW_IS_REFERENCED_2"),
    (1452, ForeignKey, "ER_NO_REFERENCED_ROW_2"),
    (1456, SchemaChanged, "ER_SP_RECURSION_LIMIT"),
    (1461, Temporary, "ER_MAX_PREPARED_STMT_COUNT_REACHED"),
    (1467, SchemaChanged, "ER_AUTOINC_READ_FAILED"),
    (1471, SchemaChanged, "ER_NON_INSERTABLE_TABLE"),
    (1526, Constraint, "ER_NO_PARTITION_FOR_GIVEN_VALUE"),
    (1557, ForeignKey, "ER_FOREIGN_DUPLICATE_KEY"),
    (1568, Reconnect, "ER_CANT_CHANGE_TX_CHARACTERISTICS"),
    (1586, Duplicate, "ER_DUP_ENTRY_WITH_KEY_NAME"),
    (1598, Temporary, "ER_BINLOG_LOGGING_IMPOSSIBLE"),
    (1613, Temporary, "ER_XA_RBTIMEOUT"),
    (1614, Temporary, "ER_XA_RBDEADLOCK"),
    (1615, Temporary, "ER_NEED_REPREPARE"),
    (1622, Temporary, "ER_WARN_ENGINE_TRANSACTION_ROLLBACK"),
    (1637, Temporary, "ER_TOO_MANY_CONCURRENT_TRXS"),
    (1643, Constraint, "ER_SIGNAL_NOT_FOUND"), // a trigger's SIGNAL
    (1644, Constraint, "ER_SIGNAL_EXCEPTION"), // a trigger's SIGNAL
    (1645, SchemaChanged, "ER_RESIGNAL_WITHOUT_ACTIVE_HANDLER"),
    (1665, Temporary, "ER_BINLOG_STMT_MODE_AND_ROW_ENGINE"),
    (1689, Temporary, "ER_LOCK_ABORTED"),
    (1690, Constraint, "ER_DATA_OUT_OF_RANGE"),
    (1698, Denied, "ER_ACCESS_DENIED_NO_PASSWORD_ERROR"),
    (1712, Temporary, "ER_INDEX_CORRUPT"),
    (1728, Temporary, "ER_CANNOT_LOAD_FROM_TABLE_V2"),
    (1748, Constraint, "ER_ROW_DOES_NOT_MATCH_GIVEN_PARTITION_SET"),
    (1761, ForeignKey, "ER_FOREIGN_DUPLICATE_KEY_WITH_CHILD_INFO"),
    (1762, ForeignKey, "ER_FOREIGN_DUPLICATE_KEY_WITHOUT_CHILD_INFO"),
    (1785, Temporary, "ER_GTID_UNSAFE_NON_TRANSACTIONAL_TABLE"),
    (1792, Reconnect, "ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION"),
    (1812, Temporary, "ER_TABLESPACE_MISSING"),
    (1817, Temporary, "ER_INNODB_INDEX_CORRUPT"),
    (1820, Denied, "ER_MUST_CHANGE_PASSWORD"),
    (1836, Reconnect, "ER_READ_ONLY_MODE"),
    (1862, Denied, "ER_MUST_CHANGE_PASSWORD_LOGIN"),
    (1873, Denied, "ER_ACCESS_DENIED_CHANGE_USER_ERROR"),
    (1874, Reconnect, "ER_INNODB_READ_ONLY"),
    (1877, Temporary, "ER_TABLE_CORRUPT"),
    (1878, Temporary, "ER_TEMP_FILE_WRITE_FAILURE"),
    (1881, Reconnect, "ER_INNODB_FORCED_RECOVERY"), // MySQL
    (1906, SchemaChanged, "ER_WARNING_NON_DEFAULT_VALUE_FOR_GENERATED_COLUMN"),
    (1927, Reconnect, "ER_CONNECTION_KILLED"),
    (1932, Temporary, "ER_NO_SUCH_TABLE_IN_ENGINE"),
    (1950, Temporary, "ER_GTID_STRICT_OUT_OF_ORDER"),
    (1969, Timeout, "ER_STATEMENT_TIMEOUT"),
    (2002, Reconnect, "CR_CONNECTION_ERROR"), // of a client, as reported by proxies such as MaxScale
    (2003, Reconnect, "CR_CONN_HOST_ERROR"),  // the same
    (2006, Reconnect, "CR_SERVER_GONE_ERROR"), // the same
    (2013, OutcomeUnknown, "CR_SERVER_LOST"), // the same
    (3015, Temporary, "ER_ENGINE_OUT_OF_MEMORY"),
    (3019, Temporary, "ER_INNODB_UNDO_LOG_FULL"),
    (3024, Timeout, "ER_QUERY_TIMEOUT"),         // MySQL
    (3032, Reconnect, "ER_SERVER_OFFLINE_MODE"), // MySQL
    (3044, Temporary, "ER_STD_BAD_ALLOC_ERROR"),
    (3058, Temporary, "ER_USER_LOCK_DEADLOCK"),
    (3100, Temporary, "ER_RUN_HOOK_ERROR"), // MySQL, group replication
    (3101, Temporary, "ER_TRANSACTION_ROLLBACK_DURING_COMMIT"), // MySQL, group replication
    (3105, SchemaChanged, "ER_NON_DEFAULT_VALUE_FOR_GENERATED_COLUMN"), // MySQL
    (3168, Reconnect, "ER_SERVER_ISNT_AVAILABLE"), // MySQL
    (3169, Reconnect, "ER_SESSION_WAS_KILLED"), // MySQL
    (3170, Temporary, "ER_CAPACITY_EXCEEDED"), // MySQL
    (3572, Temporary, "ER_LOCK_NOWAIT"),    // MySQL
    (3819, Constraint, "ER_CHECK_CONSTRAINT_VIOLATED"), // MySQL
    (4025, Constraint, "ER_CONSTRAINT_FAILED"),
    (4031, Reconnect, "ER_CLIENT_INTERACTION_TIMEOUT"), // MySQL
    (4139, Temporary, "ER_INDEX_FILE_FULL"),
    (4145, Temporary, "ER_BACKUP_LOCK_IS_ACTIVE"),
    (4150, Denied, "ER_USER_IS_BLOCKED"),
    (4151, Denied, "ER_ACCOUNT_HAS_BEEN_LOCKED"),
    (4165, Temporary, "ER_GALERA_REPLICATION_NOT_SUPPORTED"),
    (9001, Temporary, "PROXYSQL_MAX_CONNECT_TIMEOUT"), // ProxySQL: no server of the group could be reached
];

/// The class of an error of the server. Errors that are not in the table are classified by the class of their SQLSTATE:
/// <https://mariadb.com/docs/server/reference/error-codes/sqlstate>. Numbers below 1000 are those of the server's
/// library and of storage engines: `include/mysys_err.h` and `include/my_base.h` of MariaDB.
pub fn classify_server_error(error: &ServerError) -> ErrorClass {
    if let Ok(index) = ERROR_CLASSES.binary_search_by_key(&error.code, |(number, ..)| *number) {
        return ERROR_CLASSES
            .get(index)
            .map_or(ErrorClass::Internal, |(_, classify_server_error, _)| {
                *classify_server_error
            });
    }
    // Of the server's files, memory and storage engines: a full disk, a limit of temporary space.
    if error.code < 1_000 {
        return Temporary;
    }
    match error.state.get(..2) {
        // Connection exception; invalid transaction state.
        Some("08" | "25") => Reconnect,
        // Transaction rollback; insufficient resources; operator intervention; system error; interrupted.
        Some("40" | "53" | "57" | "58" | "70") => Temporary,
        // Invalid authorization.
        Some("28") => Denied,
        // Integrity constraint violation.
        Some("23") => ForeignKey,
        // Data exception; check option violation; a condition that a trigger signals.
        Some("22" | "44" | "45") => Constraint,
        // Cardinality violation.
        Some("21") => SchemaChanged,
        _ => ErrorClass::Internal,
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
        assert!(ERROR_CLASSES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn errors_mean_what_they_say() {
        for (code, state, expected) in [
            (1047, "08S01", Reconnect),
            (1159, "HY000", Reconnect),
            (1036, "HY000", Reconnect),
            (1223, "HY000", Temporary),
            (1637, "HY000", Temporary),
            (1153, "08S01", TooLarge),
            (1062, "23000", Duplicate),
            (1146, "42S02", SchemaBehind),
            (1969, "70100", Timeout),
            (2013, "HY000", OutcomeUnknown),
            (9001, "HY000", Temporary),
            (1451, "23000", ForeignKey),
            (1452, "23000", ForeignKey),
            (4025, "23000", Constraint),
            (3819, "HY000", Constraint),
            (1644, "45000", Constraint),
            (1364, "HY000", SchemaChanged),
            (1005, "HY000", Temporary),
            (1467, "HY000", SchemaChanged),
            (167, "22003", SchemaChanged),
            (3, "HY000", Temporary),
            (201, "HY000", Temporary),
            // Not in the table.
            (9999, "08000", Reconnect),
            (9999, "40001", Temporary),
            (9999, "25006", Reconnect),
            (9999, "23000", ForeignKey),
            (9999, "22001", Constraint),
            (9999, "45001", Constraint),
            (9999, "21000", SchemaChanged),
            (9999, "HY000", ErrorClass::Internal),
            (1064, "42000", ErrorClass::Internal),
            (9999, "", ErrorClass::Internal),
        ] {
            assert_eq!(classify_server_error(&error(code, state)), expected, "{code} {state}");
        }
    }
}

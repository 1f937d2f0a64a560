#!/usr/bin/env bash
# Makes the data folder, the database and the users on the first start, from the MARIADB_* variables that the official image
# reads (https://mariadb.com/kb/en/mariadb-server-docker-official-image-environment-variables/), and starts the server. As in
# the official image, the first start has a server of its own, which listens on the socket alone, and root may log in from
# everywhere unless MARIADB_ROOT_HOST says otherwise.
set -euo pipefail
data=/var/lib/mysql
socket=/run/mysqld/mysqld.sock

[ "${1:0:1}" != - ] || set -- mariadbd "$@"
[ "${1:-}" = mariadbd ] || exec "$@"
if [ "$(id -u)" = 0 ]; then
  chown -R mysql: "$data" /run/mysqld
  exec setpriv --reuid=mysql --regid=mysql --init-groups "$0" "$@"
fi

# text TEXT, name TEXT: as a string and as an identifier of SQL.
text() {
  local text=${1//\\/\\\\}
  printf "'%s'" "${text//\'/\'\'}"
}
name() { echo "\`${1//\`/\`\`}\`"; }
# Whatever the server's certificate is, or where it has none: its socket is its own.
client() { mariadb --no-defaults --skip-ssl --protocol=socket --socket="$socket" --user=root "$@"; }

make_users() {
  local root_host=${MARIADB_ROOT_HOST:-%} healthcheck host
  # Those of this machine's name and addresses have no password.
  client --skip-column-names --execute "SELECT host FROM mysql.user WHERE user = 'root' AND host != 'localhost'" \
    | while read -r host; do echo "DROP USER root@$(text "$host");"; done
  healthcheck=$(tr -dc A-Za-z0-9 </dev/urandom | head -c 32 || true)
  for host in localhost 127.0.0.1 ::1; do
    echo "CREATE USER healthcheck@$(text "$host") IDENTIFIED BY $(text "$healthcheck"); GRANT USAGE ON *.* TO healthcheck@$(text "$host");"
  done
  printf '[mariadb-client]\nport=3306\nsocket=%s\nuser=healthcheck\npassword=%s\n' "$socket" "$healthcheck" >"$data/.my-healthcheck.cnf"
  if [ -n "${MARIADB_DATABASE:-}" ]; then
    echo "CREATE DATABASE IF NOT EXISTS $(name "$MARIADB_DATABASE");"
  fi
  if [ -n "${MARIADB_USER:-}" ]; then
    echo "CREATE USER $(text "$MARIADB_USER")@'%' IDENTIFIED BY $(text "${MARIADB_PASSWORD:?set MARIADB_PASSWORD}");"
    # In a grant, an underscore stands for any character.
    [ -z "${MARIADB_DATABASE:-}" ] \
      || echo "GRANT ALL ON $(name "${MARIADB_DATABASE//_/\\_}").* TO $(text "$MARIADB_USER")@'%';"
  fi
  if [ "$root_host" != localhost ]; then
    echo "CREATE USER root@$(text "$root_host") IDENTIFIED BY $(text "$MARIADB_ROOT_PASSWORD");"
    echo "GRANT ALL ON *.* TO root@$(text "$root_host") WITH GRANT OPTION;"
  fi
  echo "ALTER USER root@localhost IDENTIFIED BY $(text "$MARIADB_ROOT_PASSWORD");"
}

# As in the official image, whatever is there counts as made: a first start that is cut off is not begun again.
if [ ! -d "$data/mysql" ]; then
  : "${MARIADB_ROOT_PASSWORD:?set MARIADB_ROOT_PASSWORD for the first start}"
  mariadb-install-db --datadir="$data" --skip-test-db --auth-root-authentication-method=normal >/dev/null
  echo "first start: a server on the socket alone"
  "$@" --datadir="$data" --socket="$socket" --skip-networking &
  server=$!
  until client --execute 'SELECT 1' >/dev/null 2>&1; do
    kill -0 "$server" 2>/dev/null || { echo "the server of the first start has ended"; exit 1; }
    sleep 0.2
  done
  # What has no leap seconds and no links is what the server can use; the tool says so of the rest.
  mariadb-tzinfo-to-sql /usr/share/zoneinfo 2>/dev/null | client mysql
  make_users | client
  kill "$server"
  wait "$server"
  echo "first start: done"
fi
unset "${!MARIADB_@}"
exec "$@" --datadir="$data" --socket="$socket"

#!/bin/sh
# Runs once, on the first leader, with a connection URL of the superuser. Migrations and roles come from the services.
set -eu
psql --no-psqlrc --quiet "$1" --set ON_ERROR_STOP=1 --command 'create database payments'

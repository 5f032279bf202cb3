// Package pgtest gives tests a real PostgreSQL: the server that
// QUITTANCE_TEST_POSTGRES names (a postgres:// URL of a role that may create
// databases), or a private one that is started once per test binary from the
// installed binaries and ends with it. Only tests import it.
package pgtest

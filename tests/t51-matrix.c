/* All hypergradients x maps of the lower level x maps and solvers of the adjoint: each combination passes a
   finite-difference test of f or is refused. The table is printed and must be the committed one, so that a
   type cannot pass by refusing. Where it is to change, as with a new type,

     build/release/tests/t51-matrix -update && tests/methods.sh -update

   writes it and the documentation made of it (docs/methods.md) anew; look at the difference before it is
   committed. */
#include "files.h"
#include "problem.h"

typedef struct {
  const char *name;
  BLPType type;
  Synthetic spec;
} Problem;

/* Of the adjoint system. The lower level's map has no part in it but for the point: with the first map that
   the problem takes all of them are tried, with all maps of the adjoint; with the others one of each. */
static const char *const solvers[] = {KSPGMRES,     KSPBCGS, KSPRICHARDSON, KSPCG,  KSPMINRES,
                                      KSPCHEBYSHEV, KSPCGNE, KSPCGNR,       KSPLSQR};
enum { nsolvers = sizeof(solvers) / sizeof(solvers[0]), length = 400 };

static PetscErrorCode Start(HG hg, BLP blp)
{
  PetscFunctionBegin;
  PetscCall(HGSetBLP(hg, blp));
  PetscCall(HGSetFromOptions(hg));
  PetscCall(HGSetUp(hg));
  PetscFunctionReturn(0);
}

/* f(lambda + h d) at the lower level's solution */
static PetscErrorCode Value(HG hg, Vec lambda, PetscReal h, Vec d, PetscReal *f)
{
  Vec at;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(lambda, &at));
  PetscCall(VecWAXPY(at, h, d, lambda));
  PetscCall(HGEvaluate(hg, at, f));
  PetscCall(VecDestroy(&at));
  PetscFunctionReturn(0);
}

/* Central differences of f, extrapolated twice. */
static PetscErrorCode Expected(HG hg, Vec lambda, Vec d, PetscReal *expected)
{
  PetscReal slope[3], h = 8e-3, up, down;

  PetscFunctionBegin;
  for (int i = 0; i < 3; i++, h /= 2) {
    PetscCall(Value(hg, lambda, h, d, &up));
    PetscCall(Value(hg, lambda, -h, d, &down));
    slope[i] = (up - down) / (2 * h);
  }
  *expected = (64 * slope[2] - 20 * slope[1] + slope[0]) / 45;
  PetscFunctionReturn(0);
}

/* Relative error of g.d against differences of f, which depend on the lower level alone: *expected is
   computed where it is NaN. */
static PetscErrorCode Difference(HG hg, BLP blp, const Synthetic *s, HGReport *report, PetscReal *expected,
                                 PetscReal *error)
{
  PetscReal f, slope;
  Vec lambda, d, g;

  PetscFunctionBegin;
  *error = PETSC_MAX_REAL;
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &d));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(SyntheticLambda(blp, s, 7, 0.5, 2, lambda));
  PetscCall(TwofoldVecSetRandomNormal(d, 8));
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscCall(HGGetReport(hg, report));
  if (report->reason > 0) {
    PetscCall(VecDot(g, d, &slope));
    if (PetscIsNanReal(*expected)) PetscCall(Expected(hg, lambda, d, expected));
    *error = PetscAbsReal(slope - *expected) / PetscAbsReal(*expected);
  }
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&d));
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(0);
}

/* What a row stands for; "-" where a hypergradient has no adjoint system or no map. */
typedef struct {
  const Problem *problem;
  const char *type, *lower, *adjoint;
} Row;

typedef struct {
  char *text;
  size_t len;
} Table;

static PetscErrorCode AddLine(Table *table, Row row, const char which[], const char verdict[])
{
  char line[2 * length];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(line, sizeof(line), "%-12s %-7s %-9s %-9s %s %s\n", row.problem->name, row.type,
                          row.lower, row.adjoint, which, verdict));
  PetscCall(PetscStrlcat(table->text, line, table->len));
  PetscFunctionReturn(0);
}

/* One combination: "pass", what is wrong, or why it is refused, there with KSP for the solver's name. */
static PetscErrorCode Judge(BLP blp, Row row, const char options[], const char solver[], PetscReal *expected,
                            char verdict[length])
{
  char message[2048] = "", name[64];
  PetscOptions opts;
  HGReport report;
  PetscReal error;
  HG hg;

  PetscFunctionBegin;
  PetscCall(OptionsUse(options, &opts));
  PetscCall(HGCreate(TEST_COMM, &hg));
  PetscCall(PetscPushErrorHandler(KeepMessage, message));
  const int refused = (int)Start(hg, blp);
  PetscCall(PetscPopErrorHandler());
  PetscCall(OptionsDrop(&opts));
  CHECK(!refused || refused == PETSC_ERR_SUP, "%s %s: error %d, %s", row.problem->name, options, refused,
        message);
  if (refused) {
    PetscCall(PetscSNPrintf(name, sizeof(name), "-hg_ksp_type %s ", solver));
    char *const at = strstr(message, name);
    if (at == message)
      PetscCall(PetscSNPrintf(verdict, length, "refused: -hg_ksp_type KSP %s", message + strlen(name)));
    else
      PetscCall(PetscSNPrintf(verdict, length, "refused: %s", message));
  } else {
    PetscCall(Difference(hg, blp, &row.problem->spec, &report, expected, &error));
    if (report.reason != HG_CONVERGED_RTOL)
      PetscCall(PetscSNPrintf(verdict, length, "ended by %s", HGConvergedReasons[report.reason]));
    else if (error > 1e-8)
      PetscCall(PetscSNPrintf(verdict, length, "wrong by %.1e", (double)error));
    else
      PetscCall(PetscStrncpy(verdict, "pass", length));
  }
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* A line for each verdict, with all solvers that have it. */
static PetscErrorCode AddSolvers(Table *table, Row row, int n, char verdict[][length])
{
  PetscBool done[nsolvers] = {PETSC_FALSE};
  char names[128];

  PetscFunctionBegin;
  for (int s = 0; s < n; s++) {
    if (done[s]) continue;
    names[0] = 0;
    for (int k = s; k < n; k++) {
      if (strcmp(verdict[k], verdict[s])) continue;
      done[k] = PETSC_TRUE;
      if (names[0]) PetscCall(PetscStrlcat(names, ",", sizeof(names)));
      PetscCall(PetscStrlcat(names, solvers[k], sizeof(names)));
    }
    PetscCall(AddLine(table, row, names, verdict[s]));
  }
  PetscFunctionReturn(0);
}

/* The first n solvers with one map of the adjoint. A map that is refused by itself stands for all of them
   (*); so does one of the lower level for all maps of the adjoint, and *lower_refused then says so. */
static PetscErrorCode Solvers(BLP blp, Row row, const char common[], int n, PetscReal *expected, Table *table,
                              PetscBool *lower_refused)
{
  char verdict[nsolvers][length], options[512];

  PetscFunctionBegin;
  for (int s = 0; s < n; s++) {
    PetscCall(PetscSNPrintf(options, sizeof(options),
                            "%s -hg_fpm_type %s -hg_fpm_step 0.4 -hg_fpm_momentum 0.3 -hg_ksp_type %s "
                            "-hg_ksp_rtol 1e-12",
                            common, row.adjoint, solvers[s]));
    PetscCall(Judge(blp, row, options, solvers[s], expected, verdict[s]));
    *lower_refused = (PetscBool)(strstr(verdict[s], "use -lls_fpm_type") != NULL);
    if (*lower_refused) row.adjoint = "*";
    if (*lower_refused || strstr(verdict[s], "use -hg_fpm_type")) {
      PetscCall(AddLine(table, row, "*", verdict[s]));
      PetscFunctionReturn(0);
    }
  }
  PetscCall(AddSolvers(table, row, n, verdict));
  PetscFunctionReturn(0);
}

/* A way to the hypergradient: its name in the table and its options. */
typedef struct {
  const char *name, *options;
} Method;

/* All of a method: exact has no map, itd one, and aid one of the adjoint for each of the lower level. */
static PetscErrorCode Rows(BLP blp, const Problem *problem, const Method *method, PetscInt nmaps,
                           const char *const maps[], PetscReal *expected, Table *table)
{
  const PetscBool aid = (PetscBool)(strstr(method->options, HGAID) != NULL),
                  exact = (PetscBool)(strstr(method->options, HGEXACT) != NULL);
  PetscBool all = PETSC_TRUE;
  char common[256], verdict[length];

  PetscFunctionBegin;
  for (PetscInt l = 0; l < (exact ? 1 : nmaps); l++) {
    Row row = {problem, method->name, exact ? "-" : maps[l], "-"};
    PetscBool lower_refused = PETSC_FALSE;
    PetscCall(PetscSNPrintf(common, sizeof(common),
                            "-lls_max_it 5000 -lls_rtol 1e-13 -lls_fpm_step 0.4 -lls_fpm_momentum 0.3 "
                            "-lls_fpm_type %s %s",
                            maps[l], method->options));
    if (!aid) {
      PetscCall(Judge(blp, row, common, "-", expected, verdict));
      PetscCall(AddLine(table, row, "-", verdict));
    }
    for (PetscInt m = all ? 0 : l; aid && m < (all ? nmaps : l + 1) && !lower_refused; m++) {
      row.adjoint = maps[m];
      PetscCall(Solvers(blp, row, common, all ? nsolvers : 1, expected, table, &lower_refused));
    }
    if (!lower_refused) all = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

/* Whether all registered types of hypergradients are among the methods. */
static PetscErrorCode CheckMethods(PetscInt n, const Method methods[])
{
  const char **types;
  PetscInt ntypes;

  PetscFunctionBegin;
  PetscCall(HGGetRegistered(&ntypes, &types));
  for (PetscInt t = 0; t < ntypes; t++) {
    PetscBool found = PETSC_FALSE;
    for (PetscInt i = 0; i < n; i++)
      if (strstr(methods[i].options, types[t])) found = PETSC_TRUE;
    CHECK(found, "hypergradient %s is registered and not in the table", types[t]);
  }
  PetscCall(PetscFree(types));
  PetscFunctionReturn(0);
}

/* The committed table becomes this one, below its own comments. */
static PetscErrorCode Update(const char comments[], size_t n, const char table[])
{
  PetscMPIInt rank;
  FILE *file;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  if (rank) PetscFunctionReturn(0);
  file = fopen(TWOFOLD_MATRIX, "w");
  PetscCheck(file, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "cannot write %s", TWOFOLD_MATRIX);
  fwrite(comments, 1, n, file);
  fputs(table, file);
  fclose(file);
  PetscFunctionReturn(0);
}

static PetscErrorCode Compare(const char table[])
{
  char *committed, *body;
  size_t n;
  PetscBool update;

  PetscFunctionBegin;
  PetscCall(FileRead(TWOFOLD_MATRIX, &committed, &n));
  body = committed;
  while (*body == '#') body = strchr(body, '\n') + 1; /* comments on top */
  PetscCall(PetscOptionsHasName(NULL, NULL, "-update", &update));
  if (update) {
    PetscCall(Update(committed, (size_t)(body - committed), table));
    PetscCall(PetscFree(committed));
    PetscFunctionReturn(0);
  }
  CHECK(!strcmp(body, table), "the table is not that of %s, which reads\n%s", TWOFOLD_MATRIX, body);
  PetscCall(PetscFree(committed));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Problem problems[] = {
      {"softmax", BLPSOFTMAX, {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1}},
      {"softmax+bias",
       BLPSOFTMAX,
       {.n = {13, 11, 0}, .p = 4, .c = 2, .density = 0.7, .bias = PETSC_TRUE, .seed = 2}},
      {"biasedreg", BLPBIASEDREG, {.n = {13, 11, 0}, .p = 5, .density = 0.7, .seed = 5}},
      {"logistic", BLPLOGISTIC, {.n = {13, 11, 0}, .p = 5, .c = 2, .density = 0.7, .seed = 4}},
      {"user-loss", BLPUSER, {.n = {13, 11, 0}, .p = 5, .c = 3, .seed = 3}},
      {"user-map", BLPUSER, {.n = {13, 11, 0}, .p = 5, .c = 3, .seed = 3, .map = PETSC_TRUE}},
      {"krr-exp", BLPKRR, {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 5}},
      {"krr-raw",
       BLPKRR,
       {.n = {13, 11, 0}, .p = 4, .c = 2, .density = 0.7, .seed = 6, .options = "-blp_krr_parameters raw"}},
      {"quad-loss", BLPQUADRATIC, {.p = 5, .c = 3, .density = 1, .seed = 4}},
      {"quad-map", BLPQUADRATIC, {.p = 5, .c = 4, .seed = 4, .map = PETSC_TRUE}},
      {"hyperrep", BLPHYPERREP, {.n = {13, 11, 0}, .p = 5, .c = 2, .density = 0.7, .seed = 5}},
      {"distill", BLPDISTILL, {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 7}},
      {"dataclean", BLPDATACLEAN, {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 8}},
      {"equilibrium", BLPEQUILIBRIUM, {.n = {6, 0, 5}, .p = 1, .c = 2, .density = 1, .seed = 7}},
      {"convequilibrium", BLPCONVEQUILIBRIUM, {.n = {5, 0, 4}, .p = 9, .c = 2, .density = 1, .seed = 7}},
  };
  const Method methods[] = {{"itd", "-hg_type itd"},
                            {"forward", "-hg_type itd -hg_itd_mode forward -hg_itd_block 2"},
                            {"aid", "-hg_type aid"},
                            {"exact", "-hg_type exact"}};
  const PetscInt nmethods = (PetscInt)(sizeof(methods) / sizeof(methods[0]));
  const char **maps, **types;
  Table table = {.len = 65536};
  PetscInt nmaps, ntypes, known = 0;
  BLP blp;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(CheckMethods(nmethods, methods));
  PetscCall(BLPGetRegistered(&ntypes, &types));
  PetscCall(FPMGetRegistered(&nmaps, &maps));
  PetscCall(PetscCalloc1(table.len, &table.text));
  for (size_t b = 0; b < sizeof(problems) / sizeof(problems[0]); b++) {
    PetscReal expected = NAN;
    if (b == 0 || strcmp(problems[b].type, problems[b - 1].type)) known++;
    PetscCall(SyntheticProblem(TEST_COMM, problems[b].type, &problems[b].spec, &blp));
    for (PetscInt h = 0; h < nmethods; h++)
      PetscCall(Rows(blp, &problems[b], &methods[h], nmaps, maps, &expected, &table));
    PetscCall(BLPDestroy(&blp));
  }
  PetscCall(PetscPrintf(TEST_COMM, "%s", table.text));
  CHECK(known == ntypes, "%d problems are registered, %d are in the table", (int)ntypes, (int)known);
  PetscCall(Compare(table.text));
  PetscCall(PetscFree(table.text));
  PetscCall(PetscFree(maps));
  PetscCall(PetscFree(types));
  PetscCall(TestFinalize());
  return 0;
}

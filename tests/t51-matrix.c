/* All hypergradients x maps of the lower level x maps and solvers of the adjoint: each combination passes a
   finite-difference test of f or is refused. The table is printed and must be the committed one, so that a
   type cannot pass by refusing. Where it is to change,

     build/release/tests/t51-matrix -update

   writes it anew; look at the difference before it is committed. */
#include "files.h"
#include "problem.h"

typedef struct {
  const char *name;
  BLPType type;
  Synthetic spec;
} Problem;

static const char *const solvers[] = {KSPRICHARDSON, KSPCG, KSPGMRES, KSPLSQR};

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

/* Central differences of f, extrapolated. */
static PetscErrorCode Expected(HG hg, Vec lambda, Vec d, PetscReal *expected)
{
  const PetscReal h = 8e-3;
  PetscReal up[2], down[2];

  PetscFunctionBegin;
  for (int i = 0; i < 2; i++) {
    PetscCall(Value(hg, lambda, h / (1 << i), d, &up[i]));
    PetscCall(Value(hg, lambda, -h / (1 << i), d, &down[i]));
  }
  *expected = (4 * (up[1] - down[1]) / h - (up[0] - down[0]) / (2 * h)) / 3;
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

/* What a row stands for; "-" where a hypergradient has no adjoint system. */
typedef struct {
  const Problem *problem;
  const char *type, *lower, *adjoint, *solver;
} Row;

/* One line of the table. A map of the lower level or of the adjoint that is refused by itself stands for all
   rows that have it: *skip is then 2 or 1. */
static PetscErrorCode Combination(BLP blp, Row row, const char options[], PetscReal *expected, char table[],
                                  size_t len, int *skip)
{
  PetscOptions opts;
  char message[2048] = "", line[512], names[160], verdict[320];
  HGReport report;
  PetscReal error;
  HG hg;

  PetscFunctionBegin;
  *skip = 0;
  PetscCall(OptionsUse(options, &opts));
  PetscCall(HGCreate(TEST_COMM, &hg));
  PetscCall(PetscPushErrorHandler(KeepMessage, message));
  const int refused = (int)Start(hg, blp);
  PetscCall(PetscPopErrorHandler());
  PetscCall(OptionsDrop(&opts));
  if (refused == PETSC_ERR_SUP) {
    PetscCall(PetscSNPrintf(verdict, sizeof(verdict), "refused: %s", message));
    if (strstr(message, "use -lls_fpm_type")) *skip = 2;
    if (strstr(message, "use -hg_fpm_type")) *skip = 1;
    if (*skip == 2 && strcmp(row.adjoint, "-")) row.adjoint = "*";
    if (*skip && strcmp(row.solver, "-")) row.solver = "*";
  } else {
    CHECK(!refused, "%s %s %s %s %s: error %d, %s", row.problem->name, row.type, row.lower, row.adjoint,
          row.solver, refused, message);
    PetscCall(Difference(hg, blp, &row.problem->spec, &report, expected, &error));
    if (report.reason != HG_CONVERGED_RTOL)
      PetscCall(PetscSNPrintf(verdict, sizeof(verdict), "ended by %s", HGConvergedReasons[report.reason]));
    else if (error > 1e-8)
      PetscCall(PetscSNPrintf(verdict, sizeof(verdict), "wrong by %.1e", (double)error));
    else
      PetscCall(PetscStrncpy(verdict, "pass", sizeof(verdict)));
  }
  PetscCall(PetscSNPrintf(names, sizeof(names), "%-12s %-5s %-9s %-9s %-10s", row.problem->name, row.type,
                          row.lower, row.adjoint, row.solver));
  PetscCall(PetscSNPrintf(line, sizeof(line), "%s %s\n", names, verdict));
  PetscCall(PetscStrlcat(table, line, len));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* All adjoint maps and solvers where the hypergradient has an adjoint system, else one line. */
static PetscErrorCode Rows(BLP blp, const Problem *problem, HGType type, FPMType lower, PetscInt nmaps,
                           const char *const maps[], char table[], size_t len)
{
  const PetscInt nsolvers = (PetscInt)(sizeof(solvers) / sizeof(solvers[0]));
  Row row = {problem, type, lower, "-", "-"};
  char common[256], options[512];
  PetscReal expected = NAN;
  PetscBool adjoint, exact;
  int skip = 0;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(type, HGAID, &adjoint));
  PetscCall(PetscStrcmp(type, HGEXACT, &exact));
  if (exact && strcmp(lower, maps[0])) PetscFunctionReturn(0); /* it has one way to w: a single row */
  if (exact) row.lower = "-";
  PetscCall(PetscSNPrintf(common, sizeof(common),
                          "-lls_max_it 5000 -lls_rtol 1e-13 -lls_fpm_step 0.4 -lls_fpm_momentum 0.3 "
                          "-lls_fpm_type %s -hg_type %s",
                          lower, type));
  if (!adjoint) {
    PetscCall(Combination(blp, row, common, &expected, table, len, &skip));
    PetscFunctionReturn(0);
  }
  for (PetscInt m = 0; m < nmaps && skip < 2; m++) {
    skip = 0;
    for (PetscInt s = 0; s < nsolvers && !skip; s++) {
      row.adjoint = maps[m];
      row.solver = solvers[s];
      PetscCall(PetscSNPrintf(options, sizeof(options),
                              "%s -hg_fpm_type %s -hg_fpm_step 0.4 -hg_fpm_momentum 0.3 -hg_ksp_type %s "
                              "-hg_ksp_rtol 1e-12",
                              common, maps[m], solvers[s]));
      PetscCall(Combination(blp, row, options, &expected, table, len, &skip));
    }
  }
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
      {"logistic", BLPLOGISTIC, {.n = {13, 11, 0}, .p = 5, .c = 2, .density = 0.7, .seed = 4}},
      {"user-loss", BLPUSER, {.n = {13, 11, 0}, .p = 5, .c = 3, .seed = 3}},
      {"user-map", BLPUSER, {.n = {13, 11, 0}, .p = 5, .c = 3, .seed = 3, .map = PETSC_TRUE}},
      {"quad-loss", BLPQUADRATIC, {.p = 5, .c = 3, .density = 1, .seed = 4}},
      {"quad-map", BLPQUADRATIC, {.p = 5, .c = 4, .seed = 4, .map = PETSC_TRUE}},
  };
  const size_t len = 65536;
  const char **hgs, **maps, **types;
  char *table;
  PetscInt nhgs, nmaps, ntypes, known = 0;
  BLP blp;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(BLPGetRegistered(&ntypes, &types));
  PetscCall(HGGetRegistered(&nhgs, &hgs));
  PetscCall(FPMGetRegistered(&nmaps, &maps));
  PetscCall(PetscCalloc1(len, &table));
  for (size_t b = 0; b < sizeof(problems) / sizeof(problems[0]); b++) {
    if (b == 0 || strcmp(problems[b].type, problems[b - 1].type)) known++;
    PetscCall(SyntheticProblem(TEST_COMM, problems[b].type, &problems[b].spec, &blp));
    for (PetscInt h = 0; h < nhgs; h++)
      for (PetscInt m = 0; m < nmaps; m++)
        PetscCall(Rows(blp, &problems[b], hgs[h], maps[m], nmaps, maps, table, len));
    PetscCall(BLPDestroy(&blp));
  }
  PetscCall(PetscPrintf(TEST_COMM, "%s", table));
  CHECK(known == ntypes, "%d problems are registered, %d are in the table", (int)ntypes, (int)known);
  PetscCall(Compare(table));
  PetscCall(PetscFree(table));
  PetscCall(PetscFree(hgs));
  PetscCall(PetscFree(maps));
  PetscCall(PetscFree(types));
  PetscCall(TestFinalize());
  return 0;
}

/* All hypergradients x maps of the lower level x maps and solvers of the adjoint: each combination passes a
   finite-difference test of f or is refused. The table is printed and must be the committed one, so that a
   type cannot pass by refusing. */
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

/* Relative error of g.d against central differences, extrapolated. */
static PetscErrorCode Difference(HG hg, BLP blp, HGReport *report, PetscReal *error)
{
  const PetscReal h = 8e-3;
  PetscReal f, slope, up[2], down[2];
  Vec lambda, d, g;

  PetscFunctionBegin;
  *error = PETSC_MAX_REAL;
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &d));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(TwofoldVecSetRandomNormal(lambda, 7));
  PetscCall(VecScale(lambda, 0.5));
  PetscCall(VecShift(lambda, 2));
  PetscCall(TwofoldVecSetRandomNormal(d, 8));
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscCall(HGGetReport(hg, report));
  if (report->reason > 0) {
    PetscCall(VecDot(g, d, &slope));
    for (int i = 0; i < 2; i++) {
      PetscCall(Value(hg, lambda, h / (1 << i), d, &up[i]));
      PetscCall(Value(hg, lambda, -h / (1 << i), d, &down[i]));
    }
    const PetscReal expected = (4 * (up[1] - down[1]) / h - (up[0] - down[0]) / (2 * h)) / 3;
    *error = PetscAbsReal(slope - expected) / PetscAbsReal(expected);
  }
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&d));
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(0);
}

/* One line of the table. */
static PetscErrorCode Combination(BLP blp, const char names[], const char options[], char table[], size_t len)
{
  PetscOptions opts;
  char message[2048] = "", line[512];
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
  if (refused == PETSC_ERR_SUP) {
    PetscCall(PetscSNPrintf(line, sizeof(line), "%s refused: %s\n", names, message));
  } else {
    CHECK(!refused, "%s: error %d, %s", names, refused, message);
    PetscCall(Difference(hg, blp, &report, &error));
    if (report.reason != HG_CONVERGED_RTOL)
      PetscCall(
          PetscSNPrintf(line, sizeof(line), "%s ended by %s\n", names, HGConvergedReasons[report.reason]));
    else if (error > 1e-8)
      PetscCall(PetscSNPrintf(line, sizeof(line), "%s wrong by %.1e\n", names, (double)error));
    else
      PetscCall(PetscSNPrintf(line, sizeof(line), "%s pass\n", names));
  }
  PetscCall(PetscStrlcat(table, line, len));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* All adjoint maps and solvers where the hypergradient has an adjoint system, else one line. */
static PetscErrorCode Rows(BLP blp, const char problem[], HGType type, FPMType lower, PetscInt nmaps,
                           const char *const maps[], char table[], size_t len)
{
  const char *const common = "-lls_max_it 5000 -lls_rtol 1e-13 -lls_fpm_step 0.4 -lls_fpm_momentum 0.3";
  char names[160], options[512];
  PetscBool adjoint;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(type, HGAID, &adjoint));
  for (PetscInt m = 0; m < (adjoint ? nmaps : 1); m++) {
    for (size_t s = 0; s < (adjoint ? sizeof(solvers) / sizeof(solvers[0]) : 1); s++) {
      PetscCall(PetscSNPrintf(names, sizeof(names), "%-12s %-4s %-9s %-9s %-10s", problem, type, lower,
                              adjoint ? maps[m] : "-", adjoint ? solvers[s] : "-"));
      PetscCall(
          PetscSNPrintf(options, sizeof(options), "%s -lls_fpm_type %s -hg_type %s", common, lower, type));
      if (adjoint)
        PetscCall(PetscSNPrintf(options, sizeof(options),
                                "%s -lls_fpm_type %s -hg_type %s -hg_fpm_type %s -hg_fpm_step 0.4 "
                                "-hg_fpm_momentum 0.3 -hg_ksp_type %s -hg_ksp_rtol 1e-12",
                                common, lower, type, maps[m], solvers[s]));
      PetscCall(Combination(blp, names, options, table, len));
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Compare(const char table[])
{
  char *committed, *body;
  size_t n;

  PetscFunctionBegin;
  PetscCall(FileRead(TWOFOLD_MATRIX, &committed, &n));
  body = committed;
  while (*body == '#') body = strchr(body, '\n') + 1; /* comments on top */
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
        PetscCall(Rows(blp, problems[b].name, hgs[h], maps[m], nmaps, maps, table, len));
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

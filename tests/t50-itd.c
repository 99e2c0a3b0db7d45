/* Iterative differentiation: the gradient of f_t, exactly. Against finite differences and dense reverse
   sweeps; truncation; tapes. */
#include "dense.h"

static const PetscInt steps = 12;

typedef struct {
  BLP blp;
  Dense *dense;
  DenseMap map;
  Vec lambda, g;
  PetscReal *l, *expected;
  char options[160]; /* of the lower level */
} Case;

static PetscErrorCode CaseCreate(BLPType type, const Synthetic *s, DenseMap map, Case *k)
{
  PetscFunctionBegin;
  k->map = map;
  PetscCall(SyntheticProblem(TEST_COMM, type, s, &k->blp));
  PetscCall(DenseCreate(type, s, &k->dense));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, NULL));
  PetscCall(VecDuplicate(k->lambda, &k->g));
  PetscCall(SyntheticLambda(k->blp, s, 7, 1, 0, k->lambda));
  PetscCall(PetscMalloc2(k->dense->nlambda, &k->l, k->dense->nlambda, &k->expected));
  PetscCall(VecGather(k->lambda, k->l));
  PetscCall(
      PetscSNPrintf(k->options, sizeof(k->options),
                    "-hg_type itd -lls_max_it %d -lls_fpm_type %s -lls_fpm_step %g -lls_fpm_momentum %g",
                    (int)steps, map.type, (double)map.step, (double)map.momentum));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->g));
  PetscCall(PetscFree2(k->l, k->expected));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* Hypergradient with further options, after a check of the report; g of k's lambda, f where not NULL. */
static PetscErrorCode Gradient(Case *k, const char more[], PetscInt sweep, Vec g, PetscReal *f)
{
  char text[256];
  HGReport report;
  PetscReal value;
  HG hg;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s %s", k->options, more));
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, k->lambda, &value, g));
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == HG_CONVERGED_ITS && report.lower_reason == LLS_CONVERGED_ITS &&
            report.adjoint_reason == 0,
        "%s, %s, %d", HGConvergedReasons[report.reason], LLSConvergedReasons[report.lower_reason],
        (int)report.adjoint_reason);
  CHECK(report.lower_its == steps && report.adjoint_its == sweep && report.adjoint_residual == -1,
        "%d steps and %d back instead of %d", (int)report.lower_its, (int)report.adjoint_its, (int)sweep);
  if (f) *f = value;
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckDense(Case *k, PetscInt K, Vec g, PetscReal f)
{
  PetscReal difference, value;

  PetscFunctionBegin;
  PetscCall(DenseITD(k->dense, &k->map, k->l, steps, K, &value, k->expected));
  PetscCall(VecDifference(g, k->expected, &difference));
  CHECK(difference <= 1e-13, "%s, last %d steps: differs by %g", k->map.type, (int)K, difference);
  CHECK_CLOSE(f, value, 1e-13, "f_t");
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ finite differences */

/* f_t(lambda + h d) */
static PetscErrorCode Value(Case *k, HG hg, PetscReal h, Vec d, PetscReal *f)
{
  HGConvergedReason reason;
  Vec lambda;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->lambda, &lambda));
  PetscCall(VecWAXPY(lambda, h, d, k->lambda));
  PetscCall(HGEvaluate(hg, lambda, f));
  PetscCall(HGGetConvergedReason(hg, &reason));
  CHECK(reason == HG_CONVERGED_ITS, "evaluation ended by %s", HGConvergedReasons[reason]);
  PetscCall(VecDestroy(&lambda));
  PetscFunctionReturn(0);
}

/* Central differences with steps h and h / 2, extrapolated to h^4; the order of the Taylor remainder. */
static PetscErrorCode FiniteDifferences(Case *k, Vec g)
{
  const PetscReal h = 8e-3;
  PetscReal slope, f0, up[2], down[2];
  HG hg;
  Vec d;

  PetscFunctionBegin;
  PetscCall(HGMake(k->blp, NULL, k->options, &hg));
  PetscCall(VecDuplicate(g, &d));
  PetscCall(TwofoldVecSetRandomNormal(d, 8));
  PetscCall(VecDot(g, d, &slope));
  PetscCall(Value(k, hg, 0, d, &f0));
  for (int i = 0; i < 2; i++) {
    PetscCall(Value(k, hg, h / (1 << i), d, &up[i]));
    PetscCall(Value(k, hg, -h / (1 << i), d, &down[i]));
  }
  const PetscReal coarse = (up[0] - down[0]) / (2 * h), fine = (up[1] - down[1]) / h;
  CHECK_CLOSE(slope, (4 * fine - coarse) / 3, 1e-9, "directional derivative");
  const PetscReal order = TaylorOrder(PetscAbsReal(up[0] - f0 - h * slope), //
                                      PetscAbsReal(up[1] - f0 - h / 2 * slope));
  CHECK(PetscAbsReal(order - 2) <= 0.05, "Taylor remainder of order %g", order);
  PetscCall(VecDestroy(&d));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ tapes and truncation */

static PetscErrorCode CheckSame(Vec a, Vec b, const char what[])
{
  PetscBool same;

  PetscFunctionBegin;
  PetscCall(VecEqual(a, b, &same));
  CHECK(same, "%s changes the hypergradient", what);
  PetscFunctionReturn(0);
}

/* Bytes of n iterates on the rank with most of w. */
static PetscErrorCode Budget(Case *k, PetscInt n, PetscInt *bytes)
{
  PetscInt nlocal;
  Vec w;

  PetscFunctionBegin;
  PetscCall(BLPCreateVecs(k->blp, NULL, &w));
  PetscCall(VecGetLocalSize(w, &nlocal));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &nlocal, 1, MPIU_INT, MPI_MAX, TEST_COMM));
  *bytes = n * nlocal * (PetscInt)sizeof(PetscScalar);
  PetscCall(VecDestroy(&w));
  PetscFunctionReturn(0);
}

/* All tapes give the same numbers, bit by bit. */
static PetscErrorCode Tapes(Case *k, Vec full)
{
  const char **types;
  char text[96];
  PetscInt ntypes;

  PetscFunctionBegin;
  PetscCall(TapeGetRegistered(&ntypes, &types));
  for (PetscInt t = 0; t < ntypes; t++) {
    PetscCall(PetscSNPrintf(text, sizeof(text), "-tape_type %s -tape_window %d", types[t], (int)steps));
    PetscCall(Gradient(k, text, steps, k->g, NULL));
    PetscCall(CheckSame(k->g, full, types[t]));
  }
  PetscCall(PetscFree(types));
  PetscFunctionReturn(0);
}

/* So do those with a budget, however small: all steps or the last ones, a number of them or a tolerance, with
   and without norms of the steps, for which maps compute otherwise; from the start and from where the last
   solve ended. */
static PetscErrorCode SmallTape(Case *k, const char tape[], const char more[])
{
  const PetscInt solves = 2;
  char text[512];
  PetscReal f;
  HG hg;
  Vec g;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->g, &g));
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s %s -tape_type memory", k->options, more));
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  for (PetscInt i = 0; i < solves; i++) {
    PetscCall(HGSolve(hg, k->lambda, &f, k->g));
    PetscCall(HGAccept(hg));
  }
  PetscCall(HGDestroy(&hg));
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s %s %s", k->options, more, tape));
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  for (PetscInt i = 0; i < solves; i++) {
    PetscCall(HGSolve(hg, k->lambda, &f, g));
    PetscCall(HGAccept(hg));
  }
  PetscCall(CheckSame(g, k->g, text));
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(0);
}

static PetscErrorCode SmallTapes(Case *k, TapeType type, PetscInt least)
{
  const PetscInt most = least + 3;
  const char *const more[] = {"", "-hg_itd_truncate 7", "-hg_certificate bound", "-lls_rtol 1e-9",
                              "-lls_warm_start -lls_rtol 1e-9 -hg_itd_truncate 5"};
  char tape[96];
  PetscInt bytes = 0;

  PetscFunctionBegin;
  for (PetscInt n = least; n <= most; n += 3) {
    PetscCall(Budget(k, n, &bytes));
    PetscCall(PetscSNPrintf(tape, sizeof(tape), "-tape_type %s -tape_max_ram %d", type, (int)bytes));
    for (int m = 0; m < 5; m++) PetscCall(SmallTape(k, tape, more[m]));
  }
  PetscFunctionReturn(0);
}

/* The last K steps: the dense partial sum, whatever the tape; K >= t is the whole gradient. */
static PetscErrorCode Truncation(Case *k, Vec full)
{
  PetscReal f, difference;
  Vec g;
  char text[96];

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->g, &g));
  for (PetscInt K = 1; K <= steps + 2; K += 4) {
    const PetscInt sweep = PetscMin(K, steps);
    PetscCall(PetscSNPrintf(text, sizeof(text), "-hg_itd_truncate %d", (int)K)); /* a ring by itself */
    PetscCall(Gradient(k, text, sweep, k->g, &f));
    PetscCall(CheckDense(k, K, k->g, f));
    PetscCall(RelativeDifference(k->g, full, &difference));
    CHECK(K >= steps ? difference == 0 : difference > 1e-10, "K = %d differs by %g", (int)K, difference);
    PetscCall(PetscSNPrintf(text, sizeof(text), "-hg_itd_truncate %d -tape_type poison", (int)K));
    PetscCall(Gradient(k, text, sweep, g, NULL));
    PetscCall(CheckSame(g, k->g, "poison"));
    PetscCall(PetscSNPrintf(text, sizeof(text), "-hg_itd_truncate %d -tape_window %d", (int)K, (int)K + 1));
    PetscCall(Gradient(k, text, sweep, g, NULL));
    PetscCall(CheckSame(g, k->g, "a larger ring"));
  }
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(0);
}

/* A ring that forgot what the sweep needs is refused, and the object goes on working. */
static PetscErrorCode RingTooSmall(Case *k)
{
  char text[256];
  PetscReal f;
  HG hg;

  PetscFunctionBegin;
  PetscCall(
      PetscSNPrintf(text, sizeof(text), "%s -tape_type ring -tape_window %d", k->options, (int)steps - 1));
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  CHECK_RAISES(PETSC_ERR_ARG_INCOMP, HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGITDSetTruncation(hg, steps - 1));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(CheckDense(k, steps - 1, k->g, f));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* The truncation and the tape by calls instead of options, and changed between solves; an options prefix. */
static PetscErrorCode ByCalls(Case *k, Vec full)
{
  char text[256];
  PetscReal f;
  HG hg;

  PetscFunctionBegin;
  PetscCall(HGMake(k->blp, NULL, k->options, &hg));
  PetscCall(HGITDSetTruncation(hg, 5));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(CheckDense(k, 5, k->g, f));
  PetscCall(HGITDSetTruncation(hg, 0));
  for (int repeat = 0; repeat < 2; repeat++) {
    PetscCall(HGSolve(hg, k->lambda, &f, k->g));
    PetscCall(CheckSame(k->g, full, "a second solve"));
  }
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, HGITDSetTruncation(hg, -1));
  PetscCall(HGDestroy(&hg));
  PetscCall(PetscSNPrintf(text, sizeof(text),
                          "-hg_type aid -lls_max_it 1 -a_hg_type itd -a_lls_max_it %d -a_lls_fpm_type %s "
                          "-a_lls_fpm_step %g -a_lls_fpm_momentum %g -a_tape_type poison",
                          (int)steps, k->map.type, (double)k->map.step, (double)k->map.momentum));
  PetscCall(HGMake(k->blp, "a_", text, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(CheckSame(k->g, full, "an options prefix"));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* No steps: f(lambda) = E(0, lambda). */
static PetscErrorCode NoSteps(Case *k)
{
  PetscReal f, difference, *zero;
  HGConvergedReason reason;
  HG hg;

  PetscFunctionBegin;
  PetscCall(HGMake(k->blp, NULL, "-hg_type itd -lls_max_it 0", &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGGetConvergedReason(hg, &reason));
  PetscCall(PetscCalloc1(k->dense->nw, &zero));
  CHECK_CLOSE(f, DenseUpperAt(k->dense, k->l, zero, NULL, k->expected), 1e-14, "E(0)");
  PetscCall(VecDifference(k->g, k->expected, &difference));
  CHECK(reason == HG_CONVERGED_ITS && difference <= (k->dense->direct ? 1e-14 : 0), "%s, g differs by %g",
        HGConvergedReasons[reason], difference);
  PetscCall(PetscFree(zero));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

static PetscErrorCode Test(BLPType type, const Synthetic *s, DenseMap map)
{
  const PetscInt nstate = map.momentum > 0 ? 2 : 1;
  PetscReal f;
  Vec full;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(type, s, map, &k));
  PetscCall(VecDuplicate(k.g, &full));
  PetscCall(Gradient(&k, "", steps, full, &f));
  PetscCall(CheckDense(&k, steps, full, f));
  PetscCall(FiniteDifferences(&k, full));
  PetscCall(Tapes(&k, full));
  PetscCall(SmallTapes(&k, TAPEREVOLVE, nstate));
  PetscCall(SmallTapes(&k, TAPEDISK, nstate + 1));
  PetscCall(Truncation(&k, full));
  PetscCall(RingTooSmall(&k));
  PetscCall(ByCalls(&k, full));
  PetscCall(NoSteps(&k));
  PetscCall(VecDestroy(&full));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* With a tolerance the sweep goes through the steps that were made. */
static PetscErrorCode ToTolerance(const Synthetic *s)
{
  const DenseMap map = {FPMGD, 0.5, 0};
  HGReport report;
  PetscReal f, value, difference;
  HG hg;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(BLPSOFTMAX, s, map, &k));
  PetscCall(HGMake(k.blp, NULL, "-hg_type itd -lls_fpm_step 0.5 -lls_max_it 500 -lls_rtol 1e-2", &hg));
  PetscCall(HGSolve(hg, k.lambda, &f, k.g));
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == HG_CONVERGED_RTOL && report.lower_reason == LLS_CONVERGED_RTOL, "%s, %s",
        HGConvergedReasons[report.reason], LLSConvergedReasons[report.lower_reason]);
  CHECK(report.lower_its > 2 && report.lower_its < 100 && report.adjoint_its == report.lower_its,
        "%d steps, %d back", (int)report.lower_its, (int)report.adjoint_its);
  PetscCall(DenseITD(k.dense, &map, k.l, report.lower_its, report.lower_its, &value, k.expected));
  PetscCall(VecDifference(k.g, k.expected, &difference));
  CHECK(difference <= 1e-13, "differs by %g", difference);
  PetscCall(HGDestroy(&hg));
  PetscCall(HGMake(k.blp, NULL, "-hg_type itd -lls_fpm_step 0.5 -lls_max_it 3 -lls_rtol 1e-2", &hg));
  PetscCall(HGSolve(hg, k.lambda, &f, k.g));
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == HG_DIVERGED_ITS && report.lower_reason == LLS_DIVERGED_ITS, "%s, %s",
        HGConvergedReasons[report.reason], LLSConvergedReasons[report.lower_reason]);
  PetscCall(HGDestroy(&hg));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic plain = {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1},
                  bias = {.n = {9, 4, 0}, .p = 3, .c = 2, .density = 0.7, .bias = PETSC_TRUE, .seed = 2},
                  map = {.n = {9, 4, 0}, .p = 3, .c = 2, .seed = 3, .map = PETSC_TRUE};
  const DenseMap gd = {FPMGD, 0.5, 0}, heavyball = {FPMHEAVYBALL, 0.4, 0.5},
                 nesterov = {FPMNESTEROV, 0.4, 0.5}, own = {FPMPROBLEM, 1, 0};

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(Test(BLPSOFTMAX, &plain, gd));
  PetscCall(Test(BLPSOFTMAX, &plain, heavyball));
  PetscCall(Test(BLPSOFTMAX, &plain, nesterov));
  PetscCall(Test(BLPSOFTMAX, &bias, gd));
  PetscCall(Test(BLPSOFTMAX, &bias, heavyball));
  PetscCall(Test(BLPUSER, &plain, heavyball));
  PetscCall(Test(BLPUSER, &plain, nesterov));
  PetscCall(Test(BLPUSER, &map, own));
  PetscCall(ToTolerance(&plain));
  PetscCall(TestFinalize());
  return 0;
}

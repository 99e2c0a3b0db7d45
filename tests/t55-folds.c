/* Cross-validation against the plain sum over folds: a problem and a hypergradient for each fold on the whole
   communicator, one after the other. And what happens where one fold, on one group of ranks, fails. */
#include "files.h"
#include "problem.h"
#include <petscviewerhdf5.h>

static const Synthetic
    spec = {.n = {23, 0, 9}, .p = 5, .c = 3, .density = 0.7, .seed = 1},
    tiny = {.n = {6, 0, 2}, .p = 2, .c = 2, .density = 0.9, .seed = 3},
    bias = {.n = {26, 0, 0}, .p = 4, .c = 2, .density = 0.8, .bias = PETSC_TRUE, .seed = 2},
    real = {/* hyperrep, with p x 2 numbers in lambda */
            .n = {25, 0, 8},    .p = 4,       .density = 0.8,
            .real = PETSC_TRUE, .scale = 0.1, .options = " -blp_hyperrep_dim 2 -blp_hyperrep_beta 0.1",
            .seed = 4};

static const char *const methods[] = {
    "-hg_type itd -lls_max_it 12 -lls_fpm_type heavyball -lls_fpm_step 0.5 -lls_fpm_momentum 0.4",
    "-hg_type itd -hg_itd_truncate 4 -lls_max_it 12 -lls_fpm_step 0.5",
    "-hg_type aid -hg_ksp_type richardson -hg_ksp_rtol 0 -hg_ksp_max_it 9 -lls_max_it 12 -lls_fpm_step 0.5",
    "-hg_type aid -hg_ksp_type cg -hg_ksp_rtol 1e-13 -lls_max_it 12 -lls_fpm_step 0.5",
    "-hg_type exact",
    "-hg_type aid -hg_ksp_type gmres -hg_ksp_rtol 0 -hg_ksp_max_it 6 -hg_fpm_type heavyball -hg_fpm_step 0.5 "
    "-hg_fpm_momentum 0.4 -lls_max_it 12 -lls_fpm_type heavyball -lls_fpm_step 0.5 -lls_fpm_momentum 0.4",
};
enum { nmethods = sizeof(methods) / sizeof(methods[0]), most_features = 8, text_length = 128 };
static const char warm_starts[] = " -lls_warm_start -hg_warm_start";

/* ------------------------------------------------------------------ problems */

static PetscErrorCode TextOf(const Synthetic *s, PetscBool stratified, char text[text_length])
{
  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, text_length, "-blp_seed 5%s%s%s", stratified ? " -blp_stratified" : "",
                          s->options ? s->options : "",
                          s->bias ? " -blp_bias -blp_lambda_tie class -blp_upper_l2 0.3" : ""));
  PetscFunctionReturn(0);
}

/* A folded problem from one data set on `comm`. */
static PetscErrorCode FoldedProblem(MPI_Comm comm, const Synthetic *s, PetscInt F, PetscInt G,
                                    PetscBool stratified, BLP *blp)
{
  PetscOptions options;
  DataSet all, test = NULL;
  char text[text_length];

  PetscFunctionBegin;
  PetscCall(SyntheticDataSet(comm, s, 0, &all));
  if (s->n[2]) PetscCall(SyntheticDataSet(comm, s, 2, &test));
  PetscCall(TextOf(s, stratified, text));
  PetscCall(OptionsUse(text, &options));
  PetscCall(BLPCreate(comm, blp));
  PetscCall(BLPSetType(*blp, s->real ? BLPHYPERREP : BLPSOFTMAX));
  PetscCall(BLPSetData(*blp, all, NULL, test));
  PetscCall(BLPSetFolds(*blp, F, G));
  PetscCall(BLPSetFromOptions(*blp));
  PetscCall(BLPSetUp(*blp));
  PetscCall(OptionsDrop(&options));
  PetscCall(DataSetDestroy(&all));
  PetscCall(DataSetDestroy(&test));
  PetscFunctionReturn(0);
}

/* Fold k of it as a problem of its own. */
static PetscErrorCode OneFold(MPI_Comm comm, const Synthetic *s, PetscInt F, PetscInt k, PetscBool stratified,
                              BLP *blp)
{
  PetscOptions options;
  DataSet all, part[3] = {NULL, NULL, NULL};
  PetscInt n, *fold;
  PetscBool *keep;
  char text[text_length];

  PetscFunctionBegin;
  PetscCall(SyntheticDataSet(comm, s, 0, &all));
  if (s->n[2]) PetscCall(SyntheticDataSet(comm, s, 2, &part[2]));
  PetscCall(DataSetGetRows(all, &n, NULL, NULL, NULL, NULL));
  PetscCall(PetscMalloc2(n, &fold, n, &keep));
  PetscCall(DataSetFold(all, F, 5, stratified, fold));
  for (int set = 0; set < 2; set++) {
    for (PetscInt i = 0; i < n; i++) keep[i] = (PetscBool)((fold[i] == k) == (set == 1));
    PetscCall(DataSetSelect(all, keep, &part[set]));
  }
  PetscCall(PetscFree2(fold, keep));
  PetscCall(TextOf(s, PETSC_FALSE, text));
  PetscCall(OptionsUse(text, &options));
  PetscCall(BLPCreate(comm, blp));
  PetscCall(BLPSetType(*blp, s->real ? BLPHYPERREP : BLPSOFTMAX));
  PetscCall(BLPSetData(*blp, part[0], part[1], part[2]));
  PetscCall(BLPSetFromOptions(*blp));
  PetscCall(BLPSetUp(*blp));
  PetscCall(OptionsDrop(&options));
  for (int set = 0; set < 3; set++) PetscCall(DataSetDestroy(&part[set]));
  PetscCall(DataSetDestroy(&all));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ what is compared */

typedef struct {
  PetscReal f, evaluated;
  PetscScalar g[most_features];
  BLPMetrics m[3];
  HGReport report;
} Result;

/* One solve, or three: one accepted, a trial that is not, and one more. */
static PetscErrorCode Compute(BLP blp, HG hg, PetscBool three, Result *r)
{
  PetscBool has;
  Vec lambda, g;

  PetscFunctionBegin;
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(TwofoldVecSetRandomNormal(lambda, 7));
  PetscCall(HGSolve(hg, lambda, &r->f, g));
  if (three) {
    PetscCall(HGAccept(hg));
    PetscCall(TwofoldVecSetRandomNormal(lambda, 8));
    PetscCall(HGSolve(hg, lambda, &r->f, g));
    PetscCall(TwofoldVecSetRandomNormal(lambda, 9));
    PetscCall(HGSolve(hg, lambda, &r->f, g));
  }
  PetscCall(HGGetReport(hg, &r->report));
  PetscCall(PetscArrayzero(r->g, most_features)); /* lambda may be tied */
  PetscCall(VecGather(g, r->g));
  for (int set = 0; set < 3; set++) {
    PetscCall(BLPHasSet(blp, (BLPSet)set, &has));
    r->m[set] = (BLPMetrics){0};
    if (has) PetscCall(HGMeasure(hg, (BLPSet)set, lambda, &r->m[set]));
  }
  PetscCall(HGEvaluate(hg, lambda, &r->evaluated));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(0);
}

/* The mean over the folds, each on the whole communicator. */
static PetscErrorCode Reference(const Synthetic *s, PetscInt F, PetscBool stratified, const char method[],
                                PetscBool three, Result *mean)
{
  PetscFunctionBegin;
  *mean = (Result){.report = {.reason = HG_CONVERGED_RTOL, .adjoint_residual = -1}};
  for (PetscInt k = 0; k < F; k++) {
    Result r;
    BLP blp;
    HG hg;
    PetscCall(OneFold(TEST_COMM, s, F, k, stratified, &blp));
    PetscCall(HGMake(blp, NULL, method, &hg));
    PetscCall(Compute(blp, hg, three, &r));
    mean->f += r.f / (PetscReal)F;
    for (PetscInt j = 0; j < most_features; j++) mean->g[j] += r.g[j] / (PetscReal)F;
    for (int set = 0; set < 3; set++) {
      mean->m[set].loss += r.m[set].loss / (PetscReal)F;
      mean->m[set].accuracy += r.m[set].accuracy * (PetscReal)r.m[set].n;
      mean->m[set].n += r.m[set].n;
    }
    mean->report.lower_its += r.report.lower_its;
    mean->report.adjoint_its += r.report.adjoint_its;
    mean->report.reason = PetscMin(mean->report.reason, r.report.reason);
    mean->report.adjoint_residual = PetscMax(mean->report.adjoint_residual, r.report.adjoint_residual);
    PetscCall(HGDestroy(&hg));
    PetscCall(BLPDestroy(&blp));
  }
  for (int set = 0; set < 3; set++)
    if (mean->m[set].n) mean->m[set].accuracy /= (PetscReal)mean->m[set].n;
  PetscFunctionReturn(0);
}

static PetscErrorCode CompareResults(const Synthetic *s, const Result *r, const Result *mean,
                                     const char what[])
{
  const PetscInt sizes[3] = {r->m[BLP_TRAIN].n, s->n[0], s->n[2]};
  PetscReal norm = 0;

  PetscFunctionBegin;
  CHECK_CLOSE(r->f, mean->f, 1e-12, what);
  CHECK_CLOSE(r->evaluated, mean->f, 1e-12, what);
  const PetscReal difference = ArrayDifference(most_features, r->g, mean->g);
  CHECK(difference <= 1e-11, "%s: the hypergradient differs by %g", what, difference);
  for (PetscInt j = 0; j < most_features; j++) norm += r->g[j] * r->g[j];
  CHECK_CLOSE(r->report.norm, PetscSqrtReal(norm), 1e-13, what);
  if (!s->bias && !s->real)
    CHECK_CLOSE(r->m[BLP_VAL].loss, r->f, 1e-13, what); /* for softmax E is the validation loss */
  for (int set = 0; set < 3; set++) {
    if (!mean->m[set].n) continue;
    CHECK_CLOSE(r->m[set].loss, mean->m[set].loss, 1e-12, what);
    if (s->real)
      CHECK(PetscIsNanReal(r->m[set].accuracy), "%s: an accuracy", what);
    else
      CHECK_CLOSE(r->m[set].accuracy, mean->m[set].accuracy, 1e-12, what);
    CHECK(r->m[set].n == sizes[set], "%s: %d %s samples", what, (int)r->m[set].n, BLPSets[set]);
  }
  CHECK(r->report.reason == mean->report.reason, "%s: ended by %s, the folds by %s", what,
        HGConvergedReasons[r->report.reason], HGConvergedReasons[mean->report.reason]);
  const PetscBool exact = (PetscBool)(strstr(what, "exact") != NULL); /* ends where rounding stops it */
  CHECK(PetscAbsInt(r->report.lower_its - mean->report.lower_its) <= (exact ? 5 : 0) &&
            (r->report.lower_its > 0 || (exact && s->real)), /* hyperrep's is a formula */
        "%s: %d lower steps", what, (int)r->report.lower_its);
  CHECK(PetscAbsInt(r->report.adjoint_its - mean->report.adjoint_its) <= (strstr(what, "1e-13") ? 2 : 0),
        "%s: %d adjoint steps, not %d", what, (int)r->report.adjoint_its, (int)mean->report.adjoint_its);
  if (!strstr(what, "1e-13") && !exact &&
      mean->report.adjoint_residual > 1e-13) /* rounding decides about the digits of a tiny residual */
    CHECK_CLOSE(r->report.adjoint_residual, mean->report.adjoint_residual, 1e-9, what);
  PetscFunctionReturn(0);
}

static PetscErrorCode AgainstTheSum(const Synthetic *s, PetscInt F, PetscBool stratified, int m,
                                    PetscBool warm)
{
  char method[512], what[600];
  PetscMPIInt size;
  Result mean;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  PetscCall(PetscSNPrintf(method, sizeof(method), "%s%s", methods[m], warm ? warm_starts : ""));
  if (warm && strstr(method, "itd")) *strstr(method, " -hg_warm_start") = 0;
  PetscCall(Reference(s, F, stratified, method, warm, &mean));
  for (PetscInt G = 1; G <= PetscMin(PetscMin(F, size), 3); G++) {
    Result r;
    BLP blp;
    HG hg;
    PetscCall(PetscSNPrintf(what, sizeof(what), "%d folds, %d groups, seed %d, %s", (int)F, (int)G,
                            (int)s->seed, method));
    PetscCall(FoldedProblem(TEST_COMM, s, F, G, stratified, &blp));
    PetscCall(HGMake(blp, NULL, method, &hg));
    PetscCall(Compute(blp, hg, warm, &r));
    PetscCall(CompareResults(s, &r, &mean, what));
    PetscCall(HGDestroy(&hg));
    PetscCall(BLPDestroy(&blp));
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ checkpoints */

/* Warm states written with one number of groups and taken up with another. */
static PetscErrorCode Checkpoint(const char folder[], int m, PetscInt G, PetscInt G_again)
{
  char path[PETSC_MAX_PATH_LEN], method[512];
  PetscReal f, f_again, cold;
  PetscViewer viewer;
  Vec lambda, g, h;
  BLP blp, again;
  HG hg, other;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/state.h5", folder));
  PetscCall(PetscSNPrintf(method, sizeof(method), "%s%s", methods[m], warm_starts));
  if (strstr(method, "itd")) *strstr(method, " -hg_warm_start") = 0;
  PetscCall(FoldedProblem(TEST_COMM, &spec, 5, G, PETSC_FALSE, &blp));
  PetscCall(FoldedProblem(TEST_COMM, &spec, 5, G_again, PETSC_FALSE, &again));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(VecDuplicate(lambda, &h));
  PetscCall(TwofoldVecSetRandomNormal(lambda, 7));
  PetscCall(HGMake(blp, NULL, method, &hg));
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscCall(HGAccept(hg));
  PetscCall(PetscViewerHDF5Open(TEST_COMM, path, FILE_MODE_WRITE, &viewer));
  PetscCall(HGSaveState(hg, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscCall(TwofoldVecSetRandomNormal(lambda, 9));
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscCall(HGMake(again, NULL, method, &other));
  PetscCall(HGSolve(other, lambda, &cold, h));
  PetscCall(PetscViewerHDF5Open(TEST_COMM, path, FILE_MODE_READ, &viewer));
  PetscCall(HGRestoreState(other, viewer));
  PetscCall(HGSolve(other, lambda, &f_again, h));
  CHECK_CLOSE(f_again, f, 1e-12, "restored");
  CHECK(PetscAbsReal(cold - f) > 1e-9 * f, "the warm start makes no difference");
  PetscReal difference;
  PetscCall(RelativeDifference(h, g, &difference));
  CHECK(difference <= 1e-11, "restored with %d groups for %d: g differs by %g", (int)G_again, (int)G,
        difference);
  PetscCall(HGDestroy(&other));
  PetscCall(BLPDestroy(&again));
  PetscCall(FoldedProblem(TEST_COMM, &spec, 3, 1, PETSC_FALSE, &again));
  PetscCall(HGMake(again, NULL, method, &other));
  CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "the states of 5 folds, -blp_folds is 3",
             HGRestoreState(other, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscCall(HGDestroy(&other));
  PetscCall(BLPDestroy(&again));
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&h));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ one fold fails */

typedef struct {
  BLP blp;
  HG hg;
  Vec lambda, g;
} Case;

static PetscErrorCode CaseCreate(const char method[], PetscInt F, PetscInt G, Case *k)
{
  PetscFunctionBegin;
  PetscCall(FoldedProblem(TEST_COMM, &spec, F, G, PETSC_FALSE, &k->blp));
  PetscCall(HGMake(k->blp, NULL, method, &k->hg));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, NULL));
  PetscCall(VecDuplicate(k->lambda, &k->g));
  PetscCall(TwofoldVecSetRandomNormal(k->lambda, 7));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(HGDestroy(&k->hg));
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->g));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetStepOfFold(HG hg, PetscInt fold, PetscReal step)
{
  HG child;
  LLS lls;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(HGFoldsGetHG(hg, fold, &child));
  if (!child) PetscFunctionReturn(0);
  PetscCall(HGGetLLS(child, &lls));
  PetscCall(LLSGetFPM(lls, &fpm));
  PetscCall(FPMSetStep(fpm, step));
  PetscFunctionReturn(0);
}

static PetscErrorCode RaiseError(void *ctx, PetscInt i, PetscBool *stop)
{
  PetscFunctionBegin;
  (void)ctx;
  *stop = PETSC_FALSE;
  PetscCheck(i < 3, PETSC_COMM_SELF, PETSC_ERR_USER, "fold seven of nine has enough");
  PetscFunctionReturn(0);
}

static PetscErrorCode StopAtOnce(void *ctx, PetscInt i, PetscBool *stop)
{
  (void)ctx;
  (void)i;
  *stop = PETSC_TRUE;
  return 0;
}

static PetscErrorCode SetStopOfFold(HG hg, PetscInt fold, LLSStopFn stop)
{
  HG child;
  LLS lls;

  PetscFunctionBegin;
  PetscCall(HGFoldsGetHG(hg, fold, &child));
  if (!child) PetscFunctionReturn(0);
  PetscCall(HGGetLLS(child, &lls));
  PetscCall(LLSSetStop(lls, stop, NULL));
  PetscFunctionReturn(0);
}

/* The reason is that of the fold on every rank, and the next solve is as if nothing had been. */
static PetscErrorCode Failures(PetscInt F, PetscInt G)
{
  HGReport r;
  PetscReal f, again;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(methods[2], F, G, &k));
  PetscCall(HGSolve(k.hg, k.lambda, &f, k.g));
  for (PetscInt fold = 0; fold < F; fold++) {
    PetscCall(SetStepOfFold(k.hg, fold, 1e200));
    PetscCall(HGSolve(k.hg, k.lambda, &again, k.g));
    PetscCall(HGGetReport(k.hg, &r));
    CHECK(r.reason == HG_DIVERGED_LOWER && r.lower_reason == LLS_DIVERGED_NANORINF && PetscIsInfReal(again),
          "fold %d: ended by %s, %s, f = %g", (int)fold, HGConvergedReasons[r.reason],
          LLSConvergedReasons[r.lower_reason], again);
    PetscCall(HGEvaluate(k.hg, k.lambda, &again));
    PetscCall(HGGetReport(k.hg, &r));
    CHECK(r.reason == HG_DIVERGED_LOWER, "fold %d: f alone ended by %s", (int)fold,
          HGConvergedReasons[r.reason]);
    PetscCall(SetStepOfFold(k.hg, fold, 0.5));
    PetscCall(SetStopOfFold(k.hg, fold, StopAtOnce));
    PetscCall(HGSolve(k.hg, k.lambda, &again, k.g));
    PetscCall(HGGetReport(k.hg, &r));
    CHECK(r.reason == HG_STOPPED && r.lower_reason == LLS_STOPPED, "fold %d: ended by %s", (int)fold,
          HGConvergedReasons[r.reason]);
    PetscCall(SetStopOfFold(k.hg, fold, RaiseError));
    CHECK_SAYS(PETSC_ERR_USER, "seven of nine", HGSolve(k.hg, k.lambda, &again, k.g));
    CHECK_SAYS(PETSC_ERR_USER, "seven of nine", HGEvaluate(k.hg, k.lambda, &again));
    PetscCall(SetStopOfFold(k.hg, fold, NULL));
    PetscCall(HGSolve(k.hg, k.lambda, &again, k.g));
    CHECK(f == again, "f %.17g, after a failure %.17g", f, again);
  }
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* A fold that misses its tolerance: finite, and known to all. */
static PetscErrorCode Inexact(PetscInt F, PetscInt G)
{
  HGReport r;
  PetscReal f;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate("-lls_max_it 600 -lls_rtol 1e-4 -hg_ksp_rtol 1e-6 -lls_fpm_step 0.5", F, G, &k));
  PetscCall(HGSolve(k.hg, k.lambda, &f, k.g));
  PetscCall(HGGetReport(k.hg, &r));
  CHECK(r.reason == HG_CONVERGED_RTOL, "ended by %s", HGConvergedReasons[r.reason]);
  PetscCall(SetStepOfFold(k.hg, F - 1, 0.005));
  PetscCall(HGSolve(k.hg, k.lambda, &f, k.g));
  PetscCall(HGGetReport(k.hg, &r));
  CHECK(r.reason == HG_DIVERGED_ITS && r.lower_reason == LLS_DIVERGED_ITS && !PetscIsInfOrNanReal(f) &&
            r.norm > 0,
        "ended by %s, %s", HGConvergedReasons[r.reason], LLSConvergedReasons[r.lower_reason]);
  PetscCall(CaseDestroy(&k));
  /* all reasons are those of the worst fold, which had no adjoint, though the others' are bad, too */
  PetscCall(CaseCreate("-lls_max_it 12 -hg_ksp_rtol 1e-13 -hg_ksp_max_it 1 -lls_fpm_step 0.5", F, G, &k));
  PetscCall(SetStepOfFold(k.hg, F - 1, 1e200));
  PetscCall(HGSolve(k.hg, k.lambda, &f, k.g));
  PetscCall(HGGetReport(k.hg, &r));
  CHECK(r.reason == HG_DIVERGED_LOWER && r.adjoint_reason == KSP_CONVERGED_ITERATING,
        "ended by %s, adjoint %s", HGConvergedReasons[r.reason], KSPConvergedReasons[r.adjoint_reason]);
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ settings and refusals */

/* What is set on the parent later is the children's at the next solve. */
static PetscErrorCode Carried(PetscInt F, PetscInt G)
{
  HGReport r;
  PetscReal f;
  HG child;
  HGType type;
  LLS lls;
  KSP ksp;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(methods[2], F, G, &k));
  PetscCall(HGGetLLS(k.hg, &lls));
  PetscCall(HGGetKSP(k.hg, &ksp));
  PetscCall(LLSSetTolerances(lls, PETSC_DEFAULT, PETSC_DEFAULT, 7));
  PetscCall(KSPSetTolerances(ksp, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT, 3));
  PetscCall(HGSolve(k.hg, k.lambda, &f, k.g));
  PetscCall(HGGetReport(k.hg, &r));
  CHECK(r.lower_its == 7 * F && r.adjoint_its == 3 * F, "%d and %d steps", (int)r.lower_its,
        (int)r.adjoint_its);
  PetscCall(HGSetType(k.hg, HGITD));
  PetscCall(HGSolve(k.hg, k.lambda, &f, k.g));
  PetscCall(HGGetReport(k.hg, &r));
  PetscCall(HGFoldsGetHG(k.hg, F - 1, &child));
  if (child) PetscCall(HGGetType(child, &type));
  CHECK(!child || !strcmp(type, HGITD), "a child of type %s", type);
  CHECK(r.lower_its == 7 * F && r.adjoint_its == 7 * F, "%d and %d steps", (int)r.lower_its,
        (int)r.adjoint_its);
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

static PetscErrorCode Refusals(void)
{
  const Synthetic rare = {.n = {9, 0, 0}, .p = 3, .c = 9, .density = 0.9, .seed = 1};
  TwofoldConstant mu;
  PetscOptions options;
  BLPMetrics metrics;
  PetscMPIInt size;
  PetscReal f;
  DataSet all;
  State x;
  Case k;
  Vec w;
  HG hg;
  BLP blp;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  PetscCall(CaseCreate(methods[0], 3, 1, &k));
  CHECK_SAYS(PETSC_ERR_SUP, "a vector w", BLPCreateVecs(k.blp, NULL, &w));
  CHECK_SAYS(PETSC_ERR_SUP, "BLPUpper()", BLPUpper(k.blp, k.lambda, k.lambda, &f, NULL, NULL));
  CHECK_SAYS(PETSC_ERR_SUP, "3 folds", BLPLossGradient(k.blp, k.lambda, k.lambda, NULL, k.g));
  CHECK_SAYS(PETSC_ERR_SUP, "3 folds", BLPLossLinearize(k.blp, k.lambda, k.lambda));
  CHECK_SAYS(PETSC_ERR_SUP, "3 folds", BLPGetStrongConvexity(k.blp, k.lambda, &mu));
  CHECK_SAYS(PETSC_ERR_SUP, "HGMeasure()", BLPEvaluate(k.blp, BLP_VAL, k.lambda, k.lambda, &metrics));
  CHECK_SAYS(PETSC_ERR_SUP, "HGGetState()", HGGetState(k.hg, &x));
  CHECK_SAYS(PETSC_ERR_SUP, "HGGetAdjoint()", HGGetAdjoint(k.hg, &x));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "fold 3: the problem has 3 folds", HGFoldsGetHG(k.hg, 3, &hg));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "-blp_folds 1:", BLPSetFolds(k.blp, 1, 1));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "-blp_fold_groups 4:", BLPSetFolds(k.blp, 3, 4));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "of ranks", BLPSetFolds(k.blp, 30, size + 1));
  CHECK_SAYS(PETSC_ERR_SUP, "-hg_view_adjoint", HGMake(k.blp, NULL, "-hg_view_adjoint", &hg));
  PetscCall(CaseDestroy(&k));
  CHECK_SAYS(PETSC_ERR_ARG_OUTOFRANGE, "has 23 samples", FoldedProblem(TEST_COMM, &spec, 24, 1, 0, &blp));
  PetscCall(PetscOptionsPop());
  for (PetscInt G = 1; G <= PetscMin(size, 3); G++) {
    CHECK_SAYS(PETSC_ERR_FILE_UNEXPECTED, "a class is in this fold alone",
               FoldedProblem(TEST_COMM, &rare, 3, G, 0, &blp));
    PetscCall(PetscOptionsPop());
  }
  PetscCall(OptionsUse("-blp_folds 2", &options));
  PetscCall(SyntheticDataSet(TEST_COMM, &spec, 0, &all));
  PetscCall(BLPCreate(TEST_COMM, &blp));
  PetscCall(BLPSetData(blp, all, all, NULL));
  PetscCall(BLPSetFromOptions(blp));
  CHECK_SAYS(PETSC_ERR_ARG_WRONG, "without a validation set", BLPSetUp(blp));
  PetscCall(BLPSetFolds(blp, 0, 1)); /* and without folds it is a problem like any other */
  PetscCall(BLPSetUp(blp));
  PetscCall(BLPCreateVecs(blp, NULL, &w));
  PetscCall(VecDestroy(&w));
  PetscCall(BLPDestroy(&blp));
  PetscCall(DataSetDestroy(&all));
  PetscCall(OptionsDrop(&options));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  char folder[PETSC_MAX_PATH_LEN];
  PetscMPIInt size;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  for (int m = 0; m < nmethods; m++) {
    PetscCall(AgainstTheSum(&spec, 3, PETSC_FALSE, m, PETSC_FALSE));
    PetscCall(AgainstTheSum(&spec, 5, PETSC_TRUE, m, PETSC_TRUE));
    PetscCall(AgainstTheSum(&real, 3, PETSC_FALSE, m, PETSC_FALSE));
    if (m < 2) PetscCall(AgainstTheSum(m ? &tiny : &bias, 2, PETSC_TRUE, m, PETSC_FALSE));
  }
  PetscCall(FolderCreate(folder));
  PetscCall(Checkpoint(folder, 0, 1, PetscMin(size, 2)));
  PetscCall(Checkpoint(folder, nmethods - 1, PetscMin(size, 3), 1)); /* w, w_prev, v and v_prev */
  PetscCall(FolderRemove(folder));
  for (PetscInt G = 1; G <= PetscMin(size, 2); G++) {
    PetscCall(Failures(3, G));
    PetscCall(Inexact(3, G));
    PetscCall(Carried(3, G));
  }
  PetscCall(Refusals());
  PetscCall(TestFinalize());
  return 0;
}

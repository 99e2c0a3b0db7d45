/* twofold study: the error of hypergradients against the number of steps, for lists of methods and random
   lambda, measured against the exact hypergradient and bounded: Figure 1 of the paper. */
#include <math.h>
#include <stdlib.h>
#include "study.h"

/* ------------------------------------------------------------------ options */

/* A number of steps behind *text, which moves on. */
static PetscErrorCode ReadStep(const char all[], const char **text, PetscInt *t)
{
  char *end;
  const long long value = strtoll(*text, &end, 10);

  PetscFunctionBegin;
  PetscCheck(end != *text && value >= 0 && value <= PETSC_MAX_INT, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "-study_at %s: write steps T1,T2,... or FIRST:LAST:STRIDE", all);
  *t = (PetscInt)value;
  *text = end;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AddSteps(Study *study, PetscInt first, PetscInt last, PetscInt stride)
{
  PetscFunctionBegin;
  for (PetscInt t = first; t <= last; t += stride) {
    PetscCall(PetscRealloc((size_t)(study->nat + 1) * sizeof(PetscInt), &study->at));
    study->at[study->nat++] = t;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* "0,10,20:100:20": numbers and ranges, increasing. */
static PetscErrorCode ParseSteps(Study *study, const char all[])
{
  const char *text = all;

  PetscFunctionBegin;
  do {
    PetscInt first = 0, last, stride = 1;
    PetscCall(ReadStep(all, &text, &first));
    last = first;
    if (*text == ':') {
      text++;
      PetscCall(ReadStep(all, &text, &last));
      if (*text == ':') {
        text++;
        PetscCall(ReadStep(all, &text, &stride));
      }
    }
    PetscCheck(stride > 0 && last >= first && (!study->nat || first > study->at[study->nat - 1]),
               PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT, "-study_at %s: numbers of steps must increase", all);
    PetscCheck((last - first) / stride < 100000, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
               "-study_at %s: more than 100000 numbers of steps", all);
    PetscCall(AddSteps(study, first, last, stride));
  } while (*text++ == ',');
  PetscCheck(!text[-1], PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "-study_at %s: write steps T1,T2,... or FIRST:LAST:STRIDE", all);
  PetscFunctionReturn(PETSC_SUCCESS);
}

enum { MAX_CORNER = 4096 };

static PetscErrorCode ReadBox(Study *study, PetscOptionItems *PetscOptionsObject)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc2(MAX_CORNER, &study->low, MAX_CORNER, &study->high));
  study->low[0] = 0.5;
  study->high[0] = 1;
  study->nlow = study->nhigh = MAX_CORNER;
  PetscCall(PetscOptionsRealArray(
      "-study_lambda_min", "Least entries of lambda: one number, or one an entry, the last for all behind it",
      "twofold", study->low, &study->nlow, NULL));
  PetscCall(PetscOptionsRealArray("-study_lambda_max", "Largest entries, likewise", "twofold", study->high,
                                  &study->nhigh, NULL));
  PetscCall(PetscOptionsBool("-study_lambda_log", "Uniform in the logarithm of lambda", "twofold",
                             study->logarithmic, &study->logarithmic, NULL));
  study->nlow = PetscMax(study->nlow, 1); /* not given: 0 */
  study->nhigh = PetscMax(study->nhigh, 1);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The type of a hypergradient and of its KSP are what the study goes through. */
static PetscErrorCode RefuseMethodOptions(void)
{
  const char *const own[] = {"-hg_type",    "-hg_ksp_type", "-hg_ksp_max_it",  "-hg_ksp_rtol",
                             "-lls_max_it", "-lls_rtol",    "-lls_warm_start", "-hg_warm_start"};

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
    PetscBool given;
    PetscCall(PetscOptionsHasName(NULL, NULL, own[i], &given));
    PetscCheck(!given, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
               "%s: twofold study sets it by -study_methods and -study_at, and starts from 0: leave it out",
               own[i]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadOptions(Study *study)
{
  char methods[1024] = "itd,fp,cg,fp:10,cg:10", at[1024] = "0:100:10";
  PetscInt seed = 1;
  PetscMPIInt size;

  PetscFunctionBegin;
  *study = (Study){.samples = 20, .groups = 1};
  PetscCall(CliCommonFromOptions(&study->common, ""));
  PetscOptionsBegin(PETSC_COMM_WORLD, NULL, "Program options: study", "twofold");
  PetscCall(PetscOptionsString(
      "-study_methods",
      "M1,M2,...: itd, fp (fixed point on the lower level's map), or a KSP; with :K, K adjoint "
      "steps, else as many as of the lower level",
      "twofold", methods, methods, sizeof(methods), NULL));
  PetscCall(PetscOptionsString("-study_at", "Lower-level steps: T1,T2,... or FIRST:LAST:STRIDE", "twofold",
                               at, at, sizeof(at), NULL));
  PetscCall(
      PetscOptionsInt("-study_samples", "Random lambda", "twofold", study->samples, &study->samples, NULL));
  PetscCall(PetscOptionsInt("-study_seed", "Seed of lambda", "twofold", seed, &seed, NULL));
  PetscCall(PetscOptionsInt("-study_groups", "Groups of ranks that share the lambdas out among them",
                            "twofold", study->groups, &study->groups, NULL));
  PetscCall(ReadBox(study, PetscOptionsObject));
  PetscOptionsEnd();
  study->seed = seed;
  PetscCall(StudyMethodsParse(methods, study->method, &study->nmethods));
  PetscCall(ParseSteps(study, at));
  PetscCheck(study->samples > 0, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-study_samples %" PetscInt_FMT ": must be positive", study->samples);
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCheck(study->groups > 0 && study->groups <= size, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-study_groups %" PetscInt_FMT ": must be from 1 to the number of ranks, %d", study->groups,
             size);
  PetscCall(RefuseMethodOptions());
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Consecutive ranks. */
static PetscErrorCode SplitRanks(Study *study)
{
  PetscMPIInt rank, size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  study->group = (PetscInt)rank * study->groups / size;
  PetscCallMPI(MPI_Comm_split(PETSC_COMM_WORLD, (int)study->group, rank, &study->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ one lambda */

/* Uniform in the box, by (seed, sample, entry) alone. */
static PetscErrorCode SetLambda(const Study *study, PetscInt sample, Vec lambda)
{
  PetscInt first, n;
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(lambda, &first, NULL));
  PetscCall(VecGetLocalSize(lambda, &n));
  PetscCall(VecGetArrayWrite(lambda, &a));
  for (PetscInt i = 0; i < n; i++) {
    const PetscReal low = study->low[PetscMin(first + i, study->nlow - 1)],
                    high = study->high[PetscMin(first + i, study->nhigh - 1)],
                    u = TwofoldRandomUniform(study->seed + 1000003 * (PetscInt64)(sample + 1), first + i);
    a[i] = study->logarithmic ? low * PetscPowReal(high / low, u) : low + (high - low) * u;
  }
  PetscCall(VecRestoreArrayWrite(lambda, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckBox(const Study *study)
{
  const PetscInt n = PetscMax(study->nlow, study->nhigh);

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) {
    const PetscReal low = study->low[PetscMin(i, study->nlow - 1)],
                    high = study->high[PetscMin(i, study->nhigh - 1)];
    PetscCheck(low <= high, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
               "-study_lambda_min %g is above -study_lambda_max %g in entry %" PetscInt_FMT, (double)low,
               (double)high, i);
    PetscCheck(!study->logarithmic || low > 0, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
               "-study_lambda_log needs a positive -study_lambda_min, not %g", (double)low);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The exact hypergradient; the constants of the lower level by formula. */
static PetscErrorCode Reference(BLP blp, Vec lambda, Vec exact, StudyRow *row)
{
  HG hg;
  TwofoldConstant L, mu;
  PetscReal f, norm;
  HGConvergedReason reason;

  PetscFunctionBegin;
  PetscCall(HGCreate(PetscObjectComm((PetscObject)blp), &hg));
  PetscCall(HGSetBLP(hg, blp));
  PetscCall(HGSetType(hg, HGEXACT));
  PetscCall(HGSolve(hg, lambda, &f, exact));
  PetscCall(HGGetConvergedReason(hg, &reason));
  PetscCheck(reason > 0, PetscObjectComm((PetscObject)blp), PETSC_ERR_NOT_CONVERGED,
             "the exact hypergradient at lambda %d was not reached: %s", (int)row->sample,
             HGConvergedReasons[reason]);
  PetscCall(HGDestroy(&hg));
  PetscCall(VecNorm(exact, NORM_2, &norm));
  PetscCall(BLPGetSmoothness(blp, lambda, &L));
  PetscCall(BLPGetStrongConvexity(blp, lambda, &mu));
  row->norm = norm;
  row->L = L.value;
  row->mu = mu.value;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The rate of the lower level's map, by its step and the formulas for L and mu. */
static PetscErrorCode LowerRate(HG hg, BLP blp, Vec lambda, double *rate)
{
  TwofoldConstant L, mu, radius;
  FPMMethod method;
  PetscReal alpha, beta;
  LLS lls;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSGetFPM(lls, &fpm));
  PetscCall(FPMGetMethod(fpm, &method));
  PetscCall(FPMGetStep(fpm, &alpha));
  PetscCall(FPMGetMomentum(fpm, &beta));
  PetscCall(BLPGetSmoothness(blp, lambda, &L));
  PetscCall(BLPGetStrongConvexity(blp, lambda, &mu));
  PetscCall(BoundSpectralRadius(method, alpha, beta, &mu, &L, &radius));
  *rate = radius.value;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One method at all its steps. */
static PetscErrorCode Measure(const Study *study, PetscInt m, BLP blp, Vec lambda, Vec exact, Vec g,
                              const StudyRow *common, StudyRow row[])
{
  const StudyMethod *const method = &study->method[m];
  HG hg;

  PetscFunctionBegin;
  PetscCall(StudyMethodCreate(method, blp, lambda, &hg));
  for (PetscInt i = 0; i < study->nat; i++) {
    PetscReal f, error;
    PetscInt k;
    HGReport report;
    PetscCall(StudyMethodSetSteps(method, hg, study->at[i], &k));
    PetscCall(HGSolve(hg, lambda, &f, g));
    PetscCall(HGGetReport(hg, &report));
    PetscCall(VecAXPY(g, -1, exact));
    PetscCall(VecNorm(g, NORM_2, &error));
    row[i] = *common;
    row[i].method = (double)m;
    row[i].t = (double)study->at[i];
    row[i].k = (double)k;
    row[i].f = f;
    row[i].error = report.reason > 0 ? error : NAN;
    row[i].relative = row[i].error / common->norm;
    row[i].bound = report.bound.standing ? report.bound.value : NAN;
    row[i].standing = report.bound.standing;
    row[i].estimate = NAN;
    row[i].reason = report.reason;
    PetscCall(LowerRate(hg, blp, lambda, &row[i].rate));
    PetscCall(StudyMethodBound(method, hg, lambda, study->at[i], k, &row[i].theorem));
  }
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ all of this group's */

static PetscErrorCode Progress(const Study *study, PetscInt done)
{
  PetscFunctionBegin;
  if (!study->common.quiet && study->group == 0)
    PetscCall(PetscPrintf(study->comm, "lambda %" PetscInt_FMT "/%" PetscInt_FMT "\n", done, study->samples));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunGroup(const Study *study, BLP blp, StudyRow row[], PetscInt *n)
{
  Vec lambda, exact, g;

  PetscFunctionBegin;
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &exact));
  PetscCall(VecDuplicate(lambda, &g));
  for (PetscInt s = study->group; s < study->samples; s += study->groups) {
    StudyRow common = {.sample = (double)s};
    PetscCall(SetLambda(study, s, lambda));
    PetscCall(Reference(blp, lambda, exact, &common));
    for (PetscInt m = 0; m < study->nmethods; m++) {
      PetscCall(Measure(study, m, blp, lambda, exact, g, &common, row + *n));
      *n += study->nat;
    }
    PetscCall(Progress(study, s + 1));
  }
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&exact));
  PetscCall(VecDestroy(&lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Objects made once, so that their options are known before the run. */
static PetscErrorCode HearMethods(const Study *study, BLP blp)
{
  PetscFunctionBegin;
  for (PetscInt m = 0; m < PetscMax(study->nmethods, 1); m++) {
    HG hg;
    PetscCall(HGCreate(PetscObjectComm((PetscObject)blp), &hg));
    PetscCall(HGSetBLP(hg, blp));
    PetscCall(HGSetType(hg, study->method[m].itd ? HGITD : HGAID));
    PetscCall(HGSetFromOptions(hg));
    PetscCall(HGDestroy(&hg));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CommandStudy(int *code)
{
  Study study;
  BLP blp;
  StudyRow *own, *all;
  PetscInt nown = 0, n;
  RunDir dir = NULL;

  PetscFunctionBegin;
  (void)code;
  /* 1. options, and each group's problem */
  PetscCall(ReadOptions(&study));
  PetscCall(SplitRanks(&study));
  PetscCall(CliCreateProblem(&study.common, study.comm, &blp));
  PetscCall(HearMethods(&study, blp));
  if (study.common.help) {
    PetscCall(CliHearData());
    PetscCall(CliHelpPrint(study.common.help_all));
  } else {
    PetscCall(CliCheckValues());
    PetscCall(CheckBox(&study));
    /* 2. data, spaces; then no option may be left unread */
    PetscCall(TwofoldAgreeRaised(PETSC_COMM_WORLD, BLPSetUp(blp)));
    PetscCall(CliRefuseUnusedOptions());
    if (study.common.output_dir[0]) PetscCall(RunDirCreate(study.common.output_dir, NULL, PETSC_FALSE, &dir));
    /* 3. the lambdas, shared out among the groups */
    PetscCall(PetscMalloc1(study.samples * study.nmethods * study.nat, &own));
    PetscCall(TwofoldAgreeRaised(PETSC_COMM_WORLD, RunGroup(&study, blp, own, &nown)));
    PetscCall(StudyGather(&study, own, nown, &all, &n));
    PetscCall(StudyPrint(&study, all, n));
    if (dir) {
      PetscCall(RunDirWriteOptions(dir, "study"));
      PetscCall(StudyWrite(&study, dir, all, n));
      PetscCall(RunDirDestroy(&dir));
    }
    PetscCall(PetscFree(all));
    PetscCall(PetscFree(own));
  }
  PetscCall(BLPDestroy(&blp));
  PetscCall(PetscFree(study.at));
  PetscCall(PetscFree2(study.low, study.high));
  PetscCallMPI(MPI_Comm_free(&study.comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* twofold study: the error of hypergradients against the number of steps, for lists of methods and random
   lambda, measured against the exact hypergradient and bounded: Figure 1 of the paper. */
#include <math.h>
#include "study.h"

/* What a group of ranks works with. */
typedef struct {
  BLP blp;
  Vec lambda, exact, g, difference;
  StudyParts parts;
  StudyRow *row; /* of its lambdas, one behind the other */
  PetscInt n;
  PetscBool stopped; /* in the middle of a lambda */
} Group;

/* Consecutive ranks. */
static PetscErrorCode SplitRanks(Study *study)
{
  PetscMPIInt rank, size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  study->group = (PetscInt)((PetscInt64)rank * study->groups / size);
  PetscCallMPI(MPI_Comm_split(PETSC_COMM_WORLD, (int)study->group, rank, &study->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GroupCreate(const Study *study, BLP blp, Group *group)
{
  const PetscInt lambdas = (study->samples + study->groups - 1) / study->groups;

  PetscFunctionBegin;
  group->blp = blp;
  group->n = 0;
  group->stopped = PETSC_FALSE;
  PetscCall(BLPCreateVecs(blp, &group->lambda, NULL));
  PetscCall(VecDuplicate(group->lambda, &group->exact));
  PetscCall(VecDuplicate(group->lambda, &group->g));
  PetscCall(VecDuplicate(group->lambda, &group->difference));
  PetscCall(StudyPartsCreate(study, group->lambda, &group->parts));
  PetscCall(PetscMalloc1((size_t)lambdas * (size_t)study->nmethods * (size_t)study->nat, &group->row));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GroupDestroy(Group *group)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(group->row));
  PetscCall(StudyPartsDestroy(&group->parts));
  PetscCall(VecDestroy(&group->difference));
  PetscCall(VecDestroy(&group->g));
  PetscCall(VecDestroy(&group->exact));
  PetscCall(VecDestroy(&group->lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ lambda */

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

/* As -blp_lambda_file takes it. */
static PetscErrorCode SaveLambda(RunDir dir, PetscInt sample, Vec lambda)
{
  char name[64], path[PETSC_MAX_PATH_LEN];
  PetscViewer viewer;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(name, sizeof(name), "lambda.%" PetscInt_FMT ".bin", sample));
  PetscCall(RunDirPath(dir, name, path, sizeof(path)));
  PetscCall(PetscViewerCreate(PetscObjectComm((PetscObject)lambda), &viewer));
  PetscCall(PetscViewerSetType(viewer, PETSCVIEWERBINARY));
  PetscCall(PetscViewerFileSetMode(viewer, FILE_MODE_WRITE));
  PetscCall(PetscViewerBinarySkipInfo(viewer)); /* no second file beside it */
  PetscCall(PetscViewerFileSetName(viewer, path));
  PetscCall(VecView(lambda, viewer));
  PetscCall(PetscViewerDestroy(&viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ one lambda's rows */

/* The exact hypergradient; the constants of the lower level by formula. Where it is not reached there is no
   error to tell at this lambda, and the study goes on. */
static PetscErrorCode Reference(const Study *study, const Group *group, StudyRow *row)
{
  HG hg;
  TwofoldConstant L, mu;
  PetscReal f, norm = NAN;
  HGConvergedReason reason;

  PetscFunctionBegin;
  PetscCall(HGCreate(PetscObjectComm((PetscObject)group->blp), &hg));
  PetscCall(HGSetBLP(hg, group->blp));
  PetscCall(HGSetType(hg, HGEXACT));
  PetscCall(HGExactSetMaxSize(hg, study->exact_max_size));
  PetscCall(HGSolve(hg, group->lambda, &f, group->exact));
  PetscCall(HGGetConvergedReason(hg, &reason));
  PetscCall(HGDestroy(&hg));
  if (reason > 0) PetscCall(VecNorm(group->exact, NORM_2, &norm));
  PetscCall(BLPGetSmoothness(group->blp, group->lambda, &L));
  PetscCall(BLPGetStrongConvexity(group->blp, group->lambda, &mu));
  row->exact_reason = reason;
  row->norm = norm;
  row->L = L.value;
  row->mu = mu.value;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The rate of the lower level's map, by its step and the formulas for L and mu. */
static PetscErrorCode LowerRate(HG hg, const Group *group, double *rate)
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
  if (method == FPM_METHOD_OTHER) {
    PetscCall(BLPGetContraction(group->blp, group->lambda, &radius));
    *rate = radius.value;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(FPMGetStep(fpm, &alpha));
  PetscCall(FPMGetMomentum(fpm, &beta));
  PetscCall(BLPGetSmoothness(group->blp, group->lambda, &L));
  PetscCall(BLPGetStrongConvexity(group->blp, group->lambda, &mu));
  PetscCall(BoundSpectralRadius(method, alpha, beta, &mu, &L, &radius));
  *rate = radius.value;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The parts of aid's error at the i-th number of steps; of what was corrected there are none. Before
   FillRow(), which spends g. */
static PetscErrorCode FillParts(HG hg, const Group *group, PetscInt i, StudyRow *row)
{
  HGConvergedReason reason;
  PetscBool aid, correct;

  PetscFunctionBegin;
  row->iterate_error = row->adjoint_error = NAN;
  PetscCall(HGGetConvergedReason(hg, &reason));
  PetscCall(PetscObjectTypeCompare((PetscObject)hg, HGAID, &aid));
  PetscCall(HGGetCorrect(hg, &correct));
  if (!group->parts.n || !aid || correct || reason <= 0 || !isfinite(group->parts.error[i]))
    PetscFunctionReturn(PETSC_SUCCESS);
  row->iterate_error = row->exact_reason > 0 ? group->parts.error[i] : NAN;
  PetscCall(VecWAXPY(group->difference, -1, group->parts.g[i], group->g));
  PetscCall(VecNorm(group->difference, NORM_2, &row->adjoint_error));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The row's error and what the hypergradient tells of itself; g is spent. */
static PetscErrorCode FillRow(HG hg, const Group *group, PetscReal f, StudyRow *row)
{
  HGReport report;
  PetscReal error;

  PetscFunctionBegin;
  PetscCall(HGGetReport(hg, &report));
  PetscCall(VecAXPY(group->g, -1, group->exact));
  PetscCall(VecNorm(group->g, NORM_2, &error));
  row->f = f;
  row->error = report.reason > 0 && row->exact_reason > 0 ? error : NAN;
  row->relative = row->error / row->norm;
  row->bound = report.bound.standing ? report.bound.value : NAN;
  row->bound_standing = report.bound.standing;
  row->estimate = report.estimate.standing ? report.estimate.value : NAN;
  row->reason = report.reason;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One method at all its steps. */
static PetscErrorCode Measure(const Study *study, PetscInt m, Group *group, const StudyRow *common,
                              StudyRow row[])
{
  const StudyMethod *const method = &study->method[m];
  HGConvergedReason reason;
  StudyTheorem theorem = {.standing = TWOFOLD_UNKNOWN};
  double rate = NAN;
  HG hg;

  PetscFunctionBegin;
  PetscCall(StudyMethodCreate(method, group->blp, group->lambda, &hg));
  PetscCall(HGSetStop(hg, StopsAsk, study->stops));
  for (PetscInt i = 0; i < study->nat && !group->stopped; i++) {
    PetscReal f;
    PetscInt k;
    PetscCall(StudyMethodSetSteps(method, hg, study->at[i], &k));
    PetscCall(HGSolve(hg, group->lambda, &f, group->g));
    PetscCall(HGGetConvergedReason(hg, &reason));
    group->stopped = (PetscBool)(reason == HG_STOPPED);
    if (group->stopped) break;
    if (i == 0) { /* both hold at all t, once the maps have chosen their steps */
      PetscCall(LowerRate(hg, group, &rate));
      PetscCall(StudyTheoremCollect(method, hg, group->lambda, &theorem));
    }
    row[i] = *common;
    row[i].method = (double)m;
    row[i].t = (double)study->at[i];
    row[i].k = (double)k;
    row[i].rate = rate;
    PetscCall(FillParts(hg, group, i, &row[i]));
    PetscCall(FillRow(hg, group, f, &row[i]));
    PetscCall(StudyTheoremBound(method, &theorem, study->at[i], k, &row[i].theorem));
    row[i].theorem_standing = isnan(row[i].theorem) ? TWOFOLD_UNKNOWN : theorem.standing;
  }
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunSample(const Study *study, RunDir dir, PetscInt sample, Group *group)
{
  const PetscInt first = group->n;
  StudyRow common = {.sample = (double)sample};

  PetscFunctionBegin;
  PetscCall(SetLambda(study, sample, group->lambda));
  if (study->save_lambda) PetscCall(SaveLambda(dir, sample, group->lambda));
  PetscCall(Reference(study, group, &common));
  PetscCall(StudyPartsSolve(study, group->blp, group->lambda, group->exact, &group->parts));
  for (PetscInt m = 0; m < study->nmethods && !group->stopped; m++) {
    PetscCall(Measure(study, m, group, &common, group->row + group->n));
    group->n += study->nat;
  }
  if (group->stopped) group->n = first; /* half a lambda is none */
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* All lambdas, one a group at a time: after each an error of one group becomes an error of all, so that none
   goes on for hours in vain. */
static PetscErrorCode RunSamples(Study *study, RunDir dir, Group *group)
{
  PetscFunctionBegin;
  study->asked = study->samples;
  for (PetscInt begin = 0; begin < study->samples && !study->stopped; begin += study->groups) {
    const PetscInt sample = begin + study->group, done = PetscMin(begin + study->groups, study->samples);
    PetscErrorCode ierr = PETSC_SUCCESS;
    if (sample < study->samples) ierr = RunSample(study, dir, sample, group);
    PetscCall(TwofoldAgreeRaised(PETSC_COMM_WORLD, ierr));
    PetscCall(StopsAskStep(study->stops, &study->stopped));
    if (!study->stopped && !study->common.quiet)
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, "lambda %" PetscInt_FMT "/%" PetscInt_FMT "\n", done,
                            study->samples));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the command */

/* Each method's hypergradient made once: configured, so that all options are known; with the problem's data
   also set up, so that what a method refuses is refused before the run. What aid asks for is heard first,
   being more. */
static PetscErrorCode TryMethods(const Study *study, BLP blp, PetscBool setup)
{
  PetscFunctionBegin;
  for (int itd = 0; itd < 2; itd++) {
    for (PetscInt m = 0; m < study->nmethods; m++) {
      HG hg;
      if (study->method[m].itd != (itd ? PETSC_TRUE : PETSC_FALSE)) continue;
      PetscCall(StudyMethodConfigure(&study->method[m], blp, &hg));
      if (setup) PetscCall(HGSetUp(hg));
      PetscCall(HGDestroy(&hg));
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckProblem(const Study *study, BLP blp)
{
  PetscInt folds, n;

  PetscFunctionBegin;
  PetscCall(BLPGetFolds(blp, &folds, NULL, NULL, NULL));
  PetscCheck(!folds, PETSC_COMM_WORLD, PETSC_ERR_SUP,
             "-blp_folds %" PetscInt_FMT ": twofold study measures one lower level, and each fold has one: "
             "leave it out",
             folds);
  PetscCall(BLPGetSizes(blp, &n, NULL));
  PetscCall(StudyCheckBox(study, n));
  PetscCall(TryMethods(study, blp, PETSC_TRUE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Of a study that was told to stop: what there is of it. */
static PetscErrorCode TellStop(Study *study, PetscInt n, int *code)
{
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(StopsTell(study->stops, &study->why));
  PetscCallMPI(MPI_Bcast(&n, 1, MPIU_INT, 0, PETSC_COMM_WORLD));
  study->samples = n / (study->nmethods * study->nat);
  study->stopped = (PetscBool)(study->samples < study->asked); /* or it came too late to matter */
  if (!study->stopped) PetscFunctionReturn(PETSC_SUCCESS);
  if (rank == 0)
    fprintf(
        stderr,
        "twofold: stopped by %s after %lld of %lld lambdas, which is what there is; a study does not go on\n",
        study->why.by, (long long)study->samples, (long long)study->asked);
  *code = EXIT_RESUBMIT;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Finish(Study *study, RunDir dir, const Group *group, int *code)
{
  StudyRow *all;
  PetscInt n;
  PetscMPIInt failed = 0;

  PetscFunctionBegin;
  PetscCall(StudyGather(study, group->row, group->n, &all, &n));
  if (study->stopped) PetscCall(TellStop(study, n, code));
  PetscCall(StudyPrint(study, all, n));
  if (dir) {
    PetscCall(RunDirWriteOptions(dir, "study"));
    PetscCall(StudyWrite(study, dir, all, n));
    PetscCall(StudyWriteSummary(study, dir, all, n));
  }
  for (PetscInt i = 0; all && i < n; i++)
    if (!(all[i].reason > 0 && all[i].exact_reason > 0)) failed++;
  PetscCallMPI(MPI_Bcast(&failed, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  if (!study->stopped)
    PetscCall(CliJudge(&study->common, (PetscBool)!failed, "some DIVERGED: see column reason", code));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CommandStudy(int *code)
{
  Study study;
  Group group;
  BLP blp;
  RunDir dir = NULL;

  PetscFunctionBegin;
  /* 1. options, and each group's problem */
  PetscCall(StudyFromOptions(&study));
  PetscCall(SplitRanks(&study));
  PetscCall(CliCreateProblem(&study.common, study.comm, &blp));
  PetscCall(TryMethods(&study, blp, PETSC_FALSE));
  if (study.common.help) {
    PetscCall(CliHearData());
    PetscCall(CliHelpPrintBut(
        study.common.help_all, StudyOwnOptions,
        "-study_methods and -study_at say which hypergradients, by which steps: what sets these in "
        "hypergrad\n"
        "is left out here. The methods' other options: twofold hypergrad -hg_type itd -help, and with "
        "-hg_type\n"
        "aid -hg_ksp_type KSP; a problem's, a map's: -help beside -blp_type, -lls_fpm_type.\n"));
  } else {
    PetscCall(CliCheckValues());
    /* 2. data, spaces, methods; then no option may be left unread */
    PetscCall(TwofoldAgreeRaised(PETSC_COMM_WORLD, BLPSetUp(blp)));
    PetscCall(CheckProblem(&study, blp));
    PetscCall(CliRefuseUnusedOptions());
    if (study.common.output_dir[0])
      PetscCall(RunDirCreate(study.common.output_dir, PETSC_FALSE, PETSC_FALSE, &dir));
    /* 3. the lambdas, shared out among the groups */
    PetscCall(GroupCreate(&study, blp, &group));
    PetscCall(RunSamples(&study, dir, &group));
    PetscCall(Finish(&study, dir, &group, code));
    if (dir) PetscCall(RunDirDestroy(&dir));
    PetscCall(GroupDestroy(&group));
  }
  PetscCall(BLPDestroy(&blp));
  PetscCall(StudyFree(&study));
  PetscCallMPI(MPI_Comm_free(&study.comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The hypergradient of a problem with folds: the mean of the folds'. Each group of ranks solves its folds one
   after the other, then the groups meet: in one reduction for f and the report, and one for g.

   What a group does by itself may raise an error that the others know nothing of. So nothing of that kind is
   called by PetscCall(): ForEachFold() keeps the error and all ranks agree on it before they go on.

   The parent speaks for all folds: -hg_monitor, -hg_converged_reason and -hg_view_gradient are about the
   mean. Of the monitors and views of the parts below (LLS, FPM, KSP, Tape) and of the tests of derivatives
   those of fold 0 are printed, no others. */
#include <petscviewerhdf5.h>
#include <twofold/impl/blpimpl.h>
#include <twofold/impl/hgimpl.h>
#include <twofold/impl/llsimpl.h>

PetscErrorCode HGCheckOneLevel_Private(HG hg, const char what[])
{
  PetscFunctionBegin;
  PetscCheck(!hg->folds, PetscObjectComm((PetscObject)hg), PETSC_ERR_SUP,
             "%s: the problem has %" PetscInt_FMT
             " folds and there is one of these in each: HGFoldsGetHG() gives "
             "the hypergradient of a fold",
             what, hg->folds->F);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ each fold by itself */

typedef PetscErrorCode (*FoldWork)(HG hg, PetscInt i, void *ctx);

/* Global number of the local fold i. */
static PetscInt FoldNumber(const HGFolds *folds, PetscInt i)
{
  return folds->group + i * folds->G;
}

/* Does the work for the folds of this rank's group, until one fails; an error of one group is raised on every
   rank. Collective. */
static PetscErrorCode ForEachFold(HG hg, FoldWork work, void *ctx)
{
  const HGFolds *folds = hg->folds;
  PetscErrorCode error = PETSC_SUCCESS;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < folds->nlocal && !error; i++) {
    const PetscBool quiet = (PetscBool)(FoldNumber(folds, i) > 0);
    if (quiet) PetscCall(PetscOptionsPushGetViewerOff(PETSC_TRUE));
    error = (*work)(hg, i, ctx);
    if (quiet) PetscCall(PetscOptionsPopGetViewerOff());
  }
  PetscCall(TwofoldAgreeRaised(PetscObjectComm((PetscObject)hg), error));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ children */

static PetscErrorCode SetChildFromOptions(HG hg, PetscInt i, void *ctx)
{
  const HG child = hg->folds->child[i];

  PetscFunctionBegin;
  (void)ctx;
  PetscCall(HGSetFromOptions(child));
  if (FoldNumber(hg->folds, i) > 0) {
    child->lls->monitor = child->lls->print_reason = PETSC_FALSE;
    child->test = child->blp->test_derivatives = PETSC_FALSE;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CreateChild(HG hg, PetscInt i, void *ctx)
{
  BLP *problems = (BLP *)ctx;
  PetscBool aid;
  HG child;

  PetscFunctionBegin;
  PetscCall(HGCreate(PetscObjectComm((PetscObject)problems[i]), &hg->folds->child[i]));
  child = hg->folds->child[i];
  child->is_fold = PETSC_TRUE;
  PetscCall(HGSetOptionsPrefix(child, ((PetscObject)hg)->prefix));
  PetscCall(HGSetBLP(child, problems[i]));
  if (!((PetscObject)hg)->type_name) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(HGSetType(child, ((PetscObject)hg)->type_name));
  if (hg->from_options) PetscCall(SetChildFromOptions(hg, i, NULL));
  PetscCall(PetscObjectTypeCompare((PetscObject)hg, HGAID, &aid));
  if (aid) {
    KSP parents, own;
    KSPType type, own_type;
    PetscBool same;
    PetscCall(HGGetKSP(hg, &parents));
    PetscCall(HGGetKSP(child, &own));
    PetscCall(KSPGetType(parents, &type));
    PetscCall(KSPGetType(own, &own_type));
    PetscCall(PetscStrcmp(type, own_type, &same));
    if (type && !same) PetscCall(KSPSetType(own, type)); /* none: the map decides at set-up */
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What upper solvers change on the way, and what has no option of its own per fold. */
static PetscErrorCode CarrySettings(HG hg, HG child)
{
  PetscReal rtol, atol, dtol;
  PetscInt max_it;
  PetscBool warm, aid;

  PetscFunctionBegin;
  PetscCall(LLSGetTolerances(hg->lls, &rtol, &atol, &max_it));
  PetscCall(LLSSetTolerances(child->lls, rtol, atol, max_it));
  PetscCall(LLSGetWarmStart(hg->lls, &warm));
  PetscCall(LLSSetWarmStart(child->lls, warm));
  child->warm_start = hg->warm_start;
  child->certificate = hg->certificate;
  child->certificate_mu = hg->certificate_mu;
  child->estimate_rtol = hg->estimate_rtol;
  child->estimate_max_it = hg->estimate_max_it;
  child->correct = hg->correct;
  PetscCall(HGSetTolerance(child, hg->rtol, hg->atol));
  PetscCall(HGSetStop(child, hg->stop, hg->stopctx));
  PetscCall(PetscObjectTypeCompare((PetscObject)child, HGAID, &aid));
  if (aid) {
    KSP parents, own;
    PetscCall(HGGetKSP(hg, &parents));
    PetscCall(HGGetKSP(child, &own));
    PetscCall(KSPGetTolerances(parents, &rtol, &atol, &dtol, &max_it));
    PetscCall(KSPSetTolerances(own, rtol, atol, dtol, max_it));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SetUpChild(HG hg, PetscInt i, void *ctx)
{
  PetscFunctionBegin;
  (void)ctx;
  PetscCall(CarrySettings(hg, hg->folds->child[i]));
  PetscCall(HGSetUp(hg->folds->child[i]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGCreateFolds_Private(HG hg)
{
  BLP *problems;
  HGFolds *folds;

  PetscFunctionBegin;
  if (hg->folds) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscNew(&folds));
  hg->folds = folds;
  PetscCall(BLPGetFolds(hg->blp, &folds->F, &folds->G, &folds->nlocal, &problems));
  folds->group = hg->blp->folds.group;
  PetscCall(PetscCalloc1(folds->nlocal, &folds->child));
  PetscCall(ForEachFold(hg, CreateChild, problems));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGDestroyFolds_Private(HG hg)
{
  HGFolds *folds = hg->folds;

  PetscFunctionBegin;
  if (!folds) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt i = 0; i < folds->nlocal; i++) PetscCall(HGDestroy(&folds->child[i]));
  PetscCall(PetscFree(folds->child));
  PetscCall(VecDestroy(&folds->lambda));
  PetscCall(VecDestroy(&folds->g));
  PetscCall(VecDestroy(&folds->sum));
  PetscCall(VecDestroy(&folds->stacked));
  PetscCall(VecScatterDestroy(&folds->scatter));
  PetscCall(PetscFree(hg->folds));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSetFromOptionsFolds_Private(HG hg)
{
  PetscFunctionBegin;
  PetscCall(ForEachFold(hg, SetChildFromOptions, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGFoldsGetHG(HG hg, PetscInt fold, HG *child)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)hg);
  PetscInt F;

  PetscFunctionBegin;
  PetscCheck(hg->blp, comm, PETSC_ERR_ARG_WRONGSTATE, "HGSetBLP() first");
  PetscCall(BLPGetFolds(hg->blp, &F, NULL, NULL, NULL));
  PetscCheck(fold >= 0 && fold < F, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "fold %" PetscInt_FMT ": the problem has %" PetscInt_FMT " folds, numbered from 0", fold, F);
  if (!((PetscObject)hg)->type_name) PetscCall(HGSetType(hg, HGAID));
  PetscCall(HGCreateFolds_Private(hg));
  const HGFolds *const folds = hg->folds;
  *child = fold % folds->G == folds->group ? folds->child[fold / folds->G] : NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ lambda to the groups, gradients back */

/* The children of a group share one lambda: they must lay it out alike. */
static PetscErrorCode MakeChildVecs(HG hg, PetscInt i, void *ctx)
{
  HGFolds *folds = hg->folds;
  PetscInt n, first_n;
  Vec lambda;

  PetscFunctionBegin;
  (void)ctx;
  PetscCall(BLPCreateVecs(folds->child[i]->blp, &lambda, NULL));
  if (!folds->lambda) {
    folds->lambda = lambda;
    PetscCall(VecDuplicate(lambda, &folds->g));
    PetscCall(VecDuplicate(lambda, &folds->sum));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(VecGetLocalSize(lambda, &n));
  PetscCall(VecGetLocalSize(folds->lambda, &first_n));
  PetscCall(VecDestroy(&lambda));
  PetscCheck(n == first_n, PETSC_COMM_SELF, PETSC_ERR_SUP, "the folds lay lambda out in different ways");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MakeScatter(HG hg)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)hg);
  HGFolds *folds = hg->folds;
  PetscInt n, start, stacked_start;
  IS from, to;
  Vec lambda;

  PetscFunctionBegin;
  PetscCall(ForEachFold(hg, MakeChildVecs, NULL));
  PetscCall(BLPCreateVecs(hg->blp, &lambda, NULL));
  PetscCall(VecGetLocalSize(folds->lambda, &n));
  PetscCall(VecGetOwnershipRange(folds->lambda, &start, NULL));
  PetscCall(VecCreate(comm, &folds->stacked));
  PetscCall(VecSetSizes(folds->stacked, n, PETSC_DETERMINE));
  PetscCall(VecSetType(folds->stacked, VECSTANDARD));
  PetscCall(VecGetOwnershipRange(folds->stacked, &stacked_start, NULL));
  PetscCall(ISCreateStride(comm, n, start, 1, &from));
  PetscCall(ISCreateStride(comm, n, stacked_start, 1, &to));
  PetscCall(VecScatterCreate(lambda, from, folds->stacked, to, &folds->scatter));
  PetscCall(ISDestroy(&from));
  PetscCall(ISDestroy(&to));
  PetscCall(VecDestroy(&lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Entries of this rank from a vector of the group to one of all ranks, or back. */
static PetscErrorCode CopyLocal(Vec from, Vec to)
{
  const PetscScalar *a;
  PetscScalar *b;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(from, &n));
  PetscCall(VecGetArrayRead(from, &a));
  PetscCall(VecGetArrayWrite(to, &b));
  PetscCall(PetscArraycpy(b, a, n));
  PetscCall(VecRestoreArrayWrite(to, &b));
  PetscCall(VecRestoreArrayRead(from, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LambdaToGroups(HGFolds *folds, Vec lambda)
{
  PetscFunctionBegin;
  PetscCall(VecScatterBegin(folds->scatter, lambda, folds->stacked, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(folds->scatter, lambda, folds->stacked, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(CopyLocal(folds->stacked, folds->lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g = 1/F sum of the groups' sums. */
static PetscErrorCode MeanGradient(HGFolds *folds, Vec g)
{
  PetscFunctionBegin;
  PetscCall(CopyLocal(folds->sum, folds->stacked));
  PetscCall(VecZeroEntries(g));
  PetscCall(VecScatterBegin(folds->scatter, folds->stacked, g, ADD_VALUES, SCATTER_REVERSE));
  PetscCall(VecScatterEnd(folds->scatter, folds->stacked, g, ADD_VALUES, SCATTER_REVERSE));
  PetscCall(VecScale(g, 1 / (PetscReal)folds->F));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSetUpFolds_Private(HG hg)
{
  const char *const one_a_fold[] = {"-hg_view_solution", "-hg_view_adjoint"};

  PetscFunctionBegin;
  for (int o = 0; o < 2; o++) {
    PetscBool asked;
    PetscCall(
        PetscOptionsHasName(((PetscObject)hg)->options, ((PetscObject)hg)->prefix, one_a_fold[o], &asked));
    PetscCheck(!asked, PetscObjectComm((PetscObject)hg), PETSC_ERR_SUP,
               "%s: there is one in each of the folds, and none to view; -hg_view_gradient has the mean",
               one_a_fold[o]);
  }
  PetscCall(HGCreateFolds_Private(hg));
  PetscCall(ForEachFold(hg, SetUpChild, NULL));
  if (!hg->folds->scatter) PetscCall(MakeScatter(hg));
  hg->setup = PETSC_TRUE;
  PetscCall(PetscObjectViewFromOptions((PetscObject)hg, NULL, "-hg_view"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ solve */

/* f and the reports of the folds solved so far, on this group and then on all. */
typedef struct {
  PetscBool gradient;
  PetscReal f;
  int worst, fold; /* the worst reason, and the first fold that ended so */
  HGReport report; /* reasons of that fold; sums of steps and times, maxima of the rest */
} Total;

/* The mean's error is at most the mean of the bounds, and is taken for that of the estimates: here the sum of
   either, with the least standing. */
static void AddError(TwofoldConstant *sum, const TwofoldConstant *error)
{
  if (sum->standing == TWOFOLD_UNKNOWN && sum->origin) return; /* one that is missing is all */
  const PetscReal value = sum->origin ? sum->value : 0;
  const PetscInt products = sum->products;
  if (!sum->origin || !error->standing || error->standing > sum->standing) *sum = *error;
  sum->value = value + error->value;
  sum->products = products + error->products;
}

static void AddReport(Total *total, PetscInt fold, const HGReport *r)
{
  HGReport *const sum = &total->report;

  if ((int)r->reason < total->worst) {
    total->worst = (int)r->reason;
    total->fold = (int)fold;
    sum->lower_reason = r->lower_reason;
    sum->adjoint_reason = r->adjoint_reason;
  }
  sum->lower_its += r->lower_its;
  sum->adjoint_its += r->adjoint_its;
  sum->lower_products += r->lower_products;
  sum->adjoint_products += r->adjoint_products;
  sum->certificate_products += r->certificate_products;
  sum->lower_time += r->lower_time;
  sum->adjoint_time += r->adjoint_time;
  sum->adjoint_residual = PetscMax(sum->adjoint_residual, r->adjoint_residual);
  sum->lower_change = PetscMax(sum->lower_change, r->lower_change);
  AddError(&sum->bound, &r->bound);
  AddError(&sum->estimate, &r->estimate);
}

static PetscErrorCode SolveFold(HG hg, PetscInt i, void *ctx)
{
  HGFolds *folds = hg->folds;
  const HG child = folds->child[i];
  Total *total = (Total *)ctx;
  PetscReal f;

  PetscFunctionBegin;
  if (total->worst == (int)HG_STOPPED) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(CarrySettings(hg, child));
  if (total->gradient) {
    PetscCall(HGSolve(child, folds->lambda, &f, folds->g));
    PetscCall(VecAXPY(folds->sum, 1, folds->g));
  } else
    PetscCall(HGEvaluate(child, folds->lambda, &f));
  total->f += f;
  AddReport(total, FoldNumber(folds, i), &child->report);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A group's numbers count once, on its first rank. */
static PetscErrorCode IsGroupRoot(const HGFolds *folds, PetscBool *root)
{
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PetscObjectComm((PetscObject)folds->child[0]), &rank));
  *root = (PetscBool)(rank == 0);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The mean of all folds' errors, with the least standing. */
static PetscErrorCode AddUpErrors(HG hg, PetscBool root, TwofoldConstant *error)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)hg);
  const PetscBool here = (PetscBool)(error->standing == TWOFOLD_UNKNOWN);
  const char *why = here ? error->origin : "it is not known in a fold of another group";
  PetscReal sum = root && !here ? error->value : 0;
  PetscInt products = root ? error->products : 0;
  int worst = here ? INT_MAX : (int)error->standing;

  PetscFunctionBegin;
  if (!why) why = "there is no hypergradient";
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPIU_SUM, comm));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &products, 1, MPIU_INT, MPI_SUM, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_INT, MPI_MAX, comm));
  if (worst == INT_MAX)
    *error = HGNoBound_Private(why);
  else
    *error = (TwofoldConstant){.value = sum / (PetscReal)hg->folds->F,
                               .error = error->error,
                               .standing = (TwofoldStanding)worst,
                               .origin = error->origin};
  error->products = products;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AddUpGroups(HG hg, Total *total)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)hg);
  HGReport *const r = &total->report;
  PetscReal largest[4] = {r->adjoint_residual, r->lower_change, r->lower_time, r->adjoint_time};
  PetscInt its[5] = {r->lower_its, r->adjoint_its, r->adjoint_products, r->certificate_products,
                     r->lower_products};
  int first[2] = {total->worst, total->fold}, reasons[2] = {INT_MAX, INT_MAX};
  PetscBool root;

  PetscFunctionBegin;
  PetscCall(IsGroupRoot(hg->folds, &root));
  if (!root) total->f = its[0] = its[1] = its[2] = its[3] = its[4] = 0;
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &total->f, 1, MPIU_REAL, MPIU_SUM, comm));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, its, 5, MPIU_INT, MPI_SUM, comm));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, largest, 4, MPIU_REAL, MPIU_MAX, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, first, 1, MPI_2INT, MPI_MINLOC, comm));
  if (first[1] == total->fold) {
    reasons[0] = (int)r->lower_reason;
    reasons[1] = (int)r->adjoint_reason;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, reasons, 2, MPI_INT, MPI_MIN, comm));
  PetscCall(AddUpErrors(hg, root, &r->bound));
  if (r->bound.standing) r->bound.origin = HGMakeBound_Private(0, r->bound.standing, NULL).origin;
  PetscCall(AddUpErrors(hg, root, &r->estimate));
  *r = (HGReport){.reason = (HGConvergedReason)first[0],
                  .bound = r->bound,
                  .estimate = r->estimate,
                  .lower_reason = (LLSConvergedReason)reasons[0],
                  .adjoint_reason = (KSPConvergedReason)reasons[1],
                  .lower_its = its[0],
                  .adjoint_its = its[1],
                  .lower_products = its[4],
                  .adjoint_products = its[2],
                  .certificate_products = its[3],
                  .adjoint_residual = largest[0],
                  .lower_change = largest[1],
                  .lower_time = largest[2],
                  .adjoint_time = largest[3]};
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSolveFolds_Private(HG hg, Vec lambda, PetscReal *f, Vec g)
{
  HGFolds *folds = hg->folds;
  Total total = {.gradient = (PetscBool)(g != NULL),
                 .worst = INT_MAX,
                 .report = {.adjoint_residual = -1, .lower_change = -1}};

  PetscFunctionBegin;
  PetscCall(LambdaToGroups(folds, lambda));
  PetscCall(VecZeroEntries(folds->sum));
  PetscCall(ForEachFold(hg, SolveFold, &total));
  PetscCall(AddUpGroups(hg, &total));
  hg->report = total.report;
  *f = total.f / (PetscReal)folds->F;
  if (g) PetscCall(MeanGradient(folds, g));
  if (hg->report.reason == HG_DIVERGED_LOWER || hg->report.reason == HG_STOPPED) { /* as of one problem */
    *f = (PetscReal)INFINITY;
    if (g) PetscCall(VecZeroEntries(g));
  } else if (hg->report.reason > HG_DIVERGED_NANORINF) {
    if (g) PetscCall(VecNorm(g, NORM_2, &hg->report.norm));
    if (PetscIsInfOrNanReal(hg->report.norm) || PetscIsInfOrNanReal(*f))
      hg->report.reason = HG_DIVERGED_NANORINF;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ measures */

typedef struct {
  BLPSet set;
  PetscReal loss, correct;
  PetscInt n, most; /* samples of all folds, and of the largest */
} Sample;

static PetscErrorCode MeasureFold(HG hg, PetscInt i, void *ctx)
{
  Sample *sum = (Sample *)ctx;
  BLPMetrics m;

  PetscFunctionBegin;
  PetscCall(HGMeasure(hg->folds->child[i], sum->set, hg->folds->lambda, &m));
  sum->loss += m.loss;
  sum->correct += m.accuracy * (PetscReal)m.n;
  sum->n += m.n;
  sum->most = PetscMax(sum->most, m.n);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGMeasureFolds_Private(HG hg, BLPSet set, Vec lambda, BLPMetrics *metrics)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)hg);
  Sample sum = {.set = set};
  PetscBool root;

  PetscFunctionBegin;
  PetscCheck(hg->blp->has[set], comm, PETSC_ERR_ARG_WRONG, "the problem has no %s samples: add -blp_%s",
             BLPSets[set], BLPSets[set]);
  PetscCall(LambdaToGroups(hg->folds, lambda));
  PetscCall(ForEachFold(hg, MeasureFold, &sum));
  PetscCall(IsGroupRoot(hg->folds, &root));
  PetscReal reals[2] = {root ? sum.loss : 0, root ? sum.correct : 0};
  PetscInt n = root ? sum.n : 0;
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, reals, 2, MPIU_REAL, MPIU_SUM, comm));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &n, 1, MPIU_INT, MPI_SUM, comm));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &sum.most, 1, MPIU_INT, MPI_MAX, comm));
  metrics->loss = reals[0] / (PetscReal)hg->folds->F;
  metrics->accuracy = reals[1] / (PetscReal)n;
  metrics->n = set == BLP_VAL ? n : sum.most; /* only these are others in each fold */
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ warm starts and checkpoints */

static PetscErrorCode AcceptFold(HG hg, PetscInt i, void *ctx)
{
  PetscFunctionBegin;
  (void)ctx;
  PetscCall(CarrySettings(hg, hg->folds->child[i]));
  PetscCall(HGAccept(hg->folds->child[i]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGAcceptFolds_Private(HG hg)
{
  PetscFunctionBegin;
  PetscCall(ForEachFold(hg, AcceptFold, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

typedef struct {
  PetscBool make;
  HGKept *kept; /* of each local fold */
} KeptOfFolds;

static PetscErrorCode GetKeptOfFold(HG hg, PetscInt i, void *ctx)
{
  KeptOfFolds *all = (KeptOfFolds *)ctx;

  PetscFunctionBegin;
  PetscCall(CarrySettings(hg, hg->folds->child[i]));
  PetscCall(HGGetKept_Private(hg->folds->child[i], all->make, &all->kept[i]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A vector of all ranks for the j-th kept one of a fold, whose entries are on the ranks of that fold's group:
   in a file it is the same for any number of ranks and groups. */
static PetscErrorCode CreateShared(HG hg, PetscInt fold, const HGKept *kept, PetscInt j, Vec *own,
                                   Vec *shared)
{
  const HGFolds *folds = hg->folds;
  const PetscBool mine = (PetscBool)(fold % folds->G == folds->group);
  char name[64];
  PetscInt n = 0;

  PetscFunctionBegin;
  *own = mine ? kept[fold / folds->G].v[j] : NULL;
  if (mine) PetscCall(VecGetLocalSize(*own, &n));
  PetscCall(VecCreate(PetscObjectComm((PetscObject)hg), shared));
  PetscCall(VecSetSizes(*shared, n, PETSC_DETERMINE));
  PetscCall(VecSetType(*shared, VECSTANDARD));
  PetscCall(PetscSNPrintf(name, sizeof(name), "fold%" PetscInt_FMT "_%s", fold, kept[0].name[j]));
  PetscCall(PetscObjectSetName((PetscObject)*shared, name));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The number of folds stands at the first vector. */
static PetscErrorCode CheckFolds(HG hg, Vec shared, PetscViewer viewer)
{
  const char *name, *path;
  char object[80];
  PetscInt F, none = 0;

  PetscFunctionBegin;
  PetscCall(PetscObjectGetName((PetscObject)shared, &name));
  PetscCall(PetscSNPrintf(object, sizeof(object), "/%s", name));
  PetscCall(PetscViewerHDF5ReadAttribute(viewer, object, "folds", PETSC_INT, &none, &F));
  PetscCall(PetscViewerFileGetName(viewer, &path));
  PetscCheck(F == hg->folds->F, PetscObjectComm((PetscObject)hg), PETSC_ERR_FILE_UNEXPECTED,
             "%s holds the states of %" PetscInt_FMT " folds, -blp_folds is %" PetscInt_FMT, path, F,
             hg->folds->F);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSaveStateFolds_Private(HG hg, PetscViewer viewer)
{
  const PetscInt F = hg->folds->F;
  KeptOfFolds all = {.make = PETSC_FALSE};
  Vec own, shared;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(hg->folds->nlocal, &all.kept));
  PetscCall(ForEachFold(hg, GetKeptOfFold, &all));
  for (PetscInt k = 0; k < F; k++) /* folds are accepted together: each has as many as the first */
    for (PetscInt j = 0; j < all.kept[0].n; j++) {
      PetscCall(CreateShared(hg, k, all.kept, j, &own, &shared));
      if (own) PetscCall(CopyLocal(own, shared));
      PetscCall(VecView(shared, viewer));
      if (k == 0 && j == 0)
        PetscCall(PetscViewerHDF5WriteObjectAttribute(viewer, (PetscObject)shared, "folds", PETSC_INT, &F));
      PetscCall(VecDestroy(&shared));
    }
  PetscCall(PetscFree(all.kept));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Each fold computes constants of its own, which a checkpoint does not hold. */
static PetscErrorCode RefuseComputedConstants(HG hg)
{
  const HG child = hg->folds->child[0];
  PetscBool lower, adjoint = PETSC_FALSE;
  FPM fpm = NULL;

  PetscFunctionBegin;
  PetscCall(LLSGetFPM(child->lls, &fpm));
  PetscCall(FPMNeedsConstants(fpm, &lower));
  fpm = NULL;
  if (child->ops->adjointmap) PetscCall((*child->ops->adjointmap)(child, &fpm));
  if (fpm) PetscCall(FPMNeedsConstants(fpm, &adjoint));
  PetscCheck(
      !lower && !adjoint, PetscObjectComm((PetscObject)hg), PETSC_ERR_SUP,
      "-%s_fpm_constants computed with -blp_folds: a run cannot be resumed, since the constants of each "
      "fold are not in its checkpoint; use formula, or give the step as a number",
      lower ? "lls" : "hg");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGRestoreStateFolds_Private(HG hg, PetscViewer viewer)
{
  KeptOfFolds all = {.make = PETSC_TRUE};
  Vec own, shared;

  PetscFunctionBegin;
  PetscCall(RefuseComputedConstants(hg));
  PetscCall(PetscCalloc1(hg->folds->nlocal, &all.kept));
  PetscCall(ForEachFold(hg, GetKeptOfFold, &all));
  for (PetscInt k = 0; k < hg->folds->F; k++)
    for (PetscInt j = 0; j < all.kept[0].n; j++) {
      PetscCall(CreateShared(hg, k, all.kept, j, &own, &shared));
      PetscCall(TwofoldVecRestore(shared, viewer));
      if (k == 0 && j == 0) PetscCall(CheckFolds(hg, shared, viewer));
      if (own) PetscCall(CopyLocal(shared, own));
      PetscCall(VecDestroy(&shared));
    }
  PetscCall(PetscFree(all.kept));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ view */

/* The first fold's stands for all; its group's first rank is the viewer's. */
PetscErrorCode HGViewFolds_Private(HG hg, PetscViewer viewer)
{
  const HGFolds *folds = hg->folds;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPushTab(viewer));
  PetscCall(PetscViewerASCIIPrintf(
      viewer, "mean over %" PetscInt_FMT " folds on %" PetscInt_FMT " groups of ranks; the first fold:\n",
      folds->F, folds->G));
  if (folds->group == 0) PetscCall(HGView(folds->child[0], viewer));
  PetscCall(PetscViewerASCIIPopTab(viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetMemoryFolds_Private(HG hg, PetscLogDouble *bytes)
{
  const HGFolds *folds = hg->folds;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(folds->lambda, &n));
  *bytes = 4.0 * (PetscLogDouble)n * sizeof(PetscScalar); /* lambda, g, their sum, and what is scattered */
  for (PetscInt i = 0; i < folds->nlocal; i++) {
    PetscLogDouble one;
    PetscCall(HGGetMemory(folds->child[i], &one));
    *bytes += one;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* itd: iterative differentiation; here in reverse mode, forward.c has the other. The lower-level solve
   records its states x_0, ..., x_{t-1} on a tape; then, from a_t = (grad1 E(x_t), 0, ...), for i = t-1, ...,
   0 with the derivatives of Phi at x_i

     g <- g + d2Phi^T a_{i+1},   a_i = d1Phi^T a_{i+1}

   or, where the map has FPMReverseStep(), with the first product at the next state, all in one pass; where it
   can sum the products of several points (FPMCanSum()), g gets their sum behind the loop.

   Truncated to K steps the loop ends after i = t - K, and the tape need keep no more than the last K states.
 */
#include <twofold/impl/hgimpl.h>
#include <twofold/impl/llsimpl.h>

typedef struct {
  Tape tape;
  Vec lambda;        /* of the sweep that is going on, borrowed */
  PetscInt truncate; /* 0: all steps */
  State a, b;        /* the adjoint state and its next */
  Vec sum;           /* of the first vectors of all a; NULL where nobody asks */
  HGITDMode mode;
  PetscInt block;    /* of forward mode */
  HGForward forward; /* NULL in reverse mode */
} ITD;

const char *const HGITDModes[] = {"reverse", "forward", "HGITDMode", "HG_ITD_", NULL};

static PetscErrorCode Record(void *ctx, PetscInt i, State x)
{
  PetscFunctionBegin;
  (void)i;
  PetscCall(TapePush((Tape)ctx, x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The tape's way to a state it did not keep. */
static PetscErrorCode Advance(void *ctx, PetscInt i, State x)
{
  HG hg = (HG)ctx;

  PetscFunctionBegin;
  (void)i;
  PetscCall(LLSRepeatStep_Private(hg->lls, ((ITD *)hg->data)->lambda, x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Tells the tape what is to come, where the number of steps is fixed. */
static PetscErrorCode Expect(HG hg)
{
  ITD *itd = (ITD *)hg->data;
  PetscReal rtol, atol;
  PetscInt t;

  PetscFunctionBegin;
  PetscCall(LLSGetTolerances(hg->lls, &rtol, &atol, &t));
  if (rtol > 0 || atol > 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TapeExpect(itd->tape, itd->truncate ? PetscMax(0, t - itd->truncate) : 0, t));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGPrepare_ITD(HG hg, Vec lambda)
{
  ITD *itd = (ITD *)hg->data;

  PetscFunctionBegin;
  PetscCall(LLSKeepChanges_Private(hg->lls, HGWantsBound_Private(hg)));
  if (itd->forward) {
    PetscCall(HGForwardPrepare_Private(itd->forward, lambda));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(TapeRewind(itd->tape));
  PetscCall(Expect(hg));
  PetscCall(LLSSetRecord(hg->lls, Record, itd->tape));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One reverse step through Phi at the tape's state i: its part of g, or of the map's sum, then the new
   adjoint state if another step follows. */
static PetscErrorCode ReverseStep(ITD *itd, FPM fpm, Vec lambda, PetscInt i, PetscBool last, PetscBool sums,
                                  Vec g)
{
  const State a = itd->a;
  State x;

  PetscFunctionBegin;
  PetscCall(TapeGetState(itd->tape, i, &x));
  PetscCall(FPMLinearize(fpm, lambda, x));
  if (sums)
    PetscCall(FPMParameterVJPSum(fpm, a));
  else
    PetscCall(FPMParameterVJPAdd(fpm, a, g));
  if (itd->sum) PetscCall(VecAXPY(itd->sum, 1, a->v[0]));
  if (!last) {
    PetscCall(FPMVJP(fpm, a, itd->b));
    itd->a = itd->b;
    itd->b = a;
  }
  PetscCall(TapeRestoreState(itd->tape, i, &x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The same by FPMReverseStep(): unless it is the first step, the adjoint state comes from the state before,
   and then i's part of g. */
static PetscErrorCode ReverseStepOnce(ITD *itd, FPM fpm, Vec lambda, PetscInt i, PetscBool first, Vec g)
{
  State x;

  PetscFunctionBegin;
  PetscCall(TapeGetState(itd->tape, i, &x));
  if (first) {
    PetscCall(FPMLinearize(fpm, lambda, x));
    PetscCall(FPMParameterVJPAdd(fpm, itd->a, g));
  } else {
    PetscCall(FPMReverseStep(fpm, lambda, x, itd->a, g));
  }
  if (itd->sum) PetscCall(VecAXPY(itd->sum, 1, itd->a->v[0]));
  PetscCall(TapeRestoreState(itd->tape, i, &x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReverseSweep(HG hg, Vec lambda, Vec g)
{
  ITD *itd = (ITD *)hg->data;
  PetscInt first, t;
  PetscBool once, sums, ended;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(LLSGetFPM(hg->lls, &fpm));
  PetscCall(TapeGetRange(itd->tape, &first, &t));
  const PetscInt stop = itd->truncate ? PetscMax(0, t - itd->truncate) : 0;
  PetscCheck(first <= stop, PetscObjectComm((PetscObject)hg), PETSC_ERR_ARG_INCOMP,
             "the tape kept states from %" PetscInt_FMT " on, the reverse sweep goes down to %" PetscInt_FMT
             ": raise -tape_window, or truncate by -hg_itd_truncate",
             first, stop);
  itd->lambda = lambda;
  PetscCall(TapeSetAdvance(itd->tape, Advance, hg));
  PetscCall(StateZero(itd->a));
  PetscCall(VecCopy(hg->g1, itd->a->v[0]));
  if (HGWantsEstimate_Private(hg) && !itd->sum) PetscCall(VecDuplicate(hg->g1, &itd->sum));
  if (itd->sum) PetscCall(VecZeroEntries(itd->sum));
  PetscCall(FPMCanReverse(fpm, &once));
  PetscCall(FPMCanSum(fpm, &sums));
  for (PetscInt i = t - 1; i >= stop; i--) {
    PetscCall(HGPoll_Private(hg, HG_STAGE_REVERSE, &ended));
    if (ended) break;
    if (once)
      PetscCall(ReverseStepOnce(itd, fpm, lambda, i, (PetscBool)(i == t - 1), g));
    else
      PetscCall(ReverseStep(itd, fpm, lambda, i, (PetscBool)(i == stop), sums, g));
  }
  if (sums) PetscCall(FPMParameterVJPTakeSum(fpm, g));
  hg->report.adjoint_its = hg->report.adjoint_products = t - stop;
  PetscCall(PetscObjectViewFromOptions((PetscObject)itd->tape, NULL, "-tape_view"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGAdjoint_ITD(HG hg, Vec lambda, Vec g)
{
  ITD *itd = (ITD *)hg->data;

  PetscFunctionBegin;
  if (itd->forward)
    PetscCall(HGForwardAdd_Private(itd->forward, g));
  else
    PetscCall(ReverseSweep(hg, lambda, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGFirstAdjoint_ITD(HG hg, FPM *fpm, Vec *v)
{
  PetscFunctionBegin;
  PetscCall(LLSGetFPM(hg->lls, fpm));
  *v = ((ITD *)hg->data)->sum;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGCertify_ITD(HG hg, Vec lambda)
{
  PetscFunctionBegin;
  PetscCall(HGCertifySteps_Private(hg, lambda, hg->report.adjoint_its));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckITD(HG hg, const char what[])
{
  PetscBool itd;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)hg, HGITD, &itd));
  PetscCheck(itd, PetscObjectComm((PetscObject)hg), PETSC_ERR_ARG_WRONG, "%s: the hypergradient is not itd",
             what);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGITDSetTruncation(HG hg, PetscInt K)
{
  PetscFunctionBegin;
  PetscCall(CheckITD(hg, "HGITDSetTruncation()"));
  PetscCheck(K >= 0, PetscObjectComm((PetscObject)hg), PETSC_ERR_ARG_OUTOFRANGE,
             "-hg_itd_truncate %" PetscInt_FMT ": must not be negative (0: all steps)", K);
  ((ITD *)hg->data)->truncate = K;
  hg->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGITDSetMode(HG hg, HGITDMode mode)
{
  PetscFunctionBegin;
  PetscCall(CheckITD(hg, "HGITDSetMode()"));
  ((ITD *)hg->data)->mode = mode;
  hg->ops->firstadjoint = mode == HG_ITD_REVERSE ? HGFirstAdjoint_ITD : NULL;
  hg->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGITDGetMode(HG hg, HGITDMode *mode)
{
  PetscFunctionBegin;
  PetscCall(CheckITD(hg, "HGITDGetMode()"));
  *mode = ((ITD *)hg->data)->mode;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGITDSetBlock(HG hg, PetscInt block)
{
  PetscFunctionBegin;
  PetscCall(CheckITD(hg, "HGITDSetBlock()"));
  PetscCheck(block >= 0, PetscObjectComm((PetscObject)hg), PETSC_ERR_ARG_OUTOFRANGE,
             "-hg_itd_block %" PetscInt_FMT ": must not be negative (0: all columns at once)", block);
  ((ITD *)hg->data)->block = block;
  hg->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetTape(HG hg, Tape *tape)
{
  PetscFunctionBegin;
  PetscCall(CheckITD(hg, "HGGetTape()"));
  PetscCall(HGCheckOneLevel_Private(hg, "HGGetTape()"));
  PetscCheck(((ITD *)hg->data)->mode == HG_ITD_REVERSE, PetscObjectComm((PetscObject)hg), PETSC_ERR_ARG_WRONG,
             "HGGetTape(): itd has no tape in forward mode");
  *tape = ((ITD *)hg->data)->tape;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The tape's options where there is one. */
static PetscErrorCode TapeFromOptions(HG hg)
{
  ITD *itd = (ITD *)hg->data;

  PetscFunctionBegin;
  PetscCall(TapeSetOptionsPrefix(itd->tape, ((PetscObject)hg)->prefix));
  if (itd->truncate) { /* a ring of K states is all that is read; -tape_type still decides */
    PetscCall(TapeSetType(itd->tape, TAPERING));
    PetscCall(TapeSetWindow(itd->tape, itd->truncate));
  }
  PetscCall(TapeSetFromOptions(itd->tape));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGSetFromOptions_ITD(HG hg, PetscOptionItems *PetscOptionsObject)
{
  ITD *itd = (ITD *)hg->data;
  HGITDMode mode = itd->mode;
  PetscInt K = itd->truncate, block = itd->block;

  PetscFunctionBegin;
  PetscCall(PetscOptionsInt("-hg_itd_truncate", "Differentiate the last steps alone, this many (0: all)",
                            "HGITDSetTruncation", K, &K, NULL));
  PetscCall(HGITDSetTruncation(hg, K));
  PetscCall(PetscOptionsEnum("-hg_itd_mode", "Back along a tape, or forward along with the solve",
                             "HGITDSetMode", HGITDModes, (PetscEnum)mode, (PetscEnum *)&mode, NULL));
  PetscCall(HGITDSetMode(hg, mode));
  if (mode == HG_ITD_REVERSE) {
    PetscCall(TapeFromOptions(hg));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(PetscOptionsInt("-hg_itd_block", "Entries of lambda at a time (0: all)", "HGITDSetBlock", block,
                            &block, NULL));
  PetscCall(HGITDSetBlock(hg, block));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Reset(HG hg)
{
  ITD *itd = (ITD *)hg->data;

  PetscFunctionBegin;
  PetscCall(StateDestroy(&itd->a));
  PetscCall(StateDestroy(&itd->b));
  PetscCall(VecDestroy(&itd->sum));
  PetscCall(HGForwardDestroy_Private(&itd->forward));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Both modes need a solver whose steps are those of the map. */
static PetscErrorCode CheckRecords(HG hg)
{
  const char *const prefix = ((PetscObject)hg)->prefix ? ((PetscObject)hg)->prefix : "";
  LLSType type;
  PetscBool can;

  PetscFunctionBegin;
  PetscCall(LLSGetType(hg->lls, &type));
  PetscCall(LLSCanRecord(hg->lls, &can));
  PetscCheck(can, PetscObjectComm((PetscObject)hg), PETSC_ERR_SUP,
             "itd differentiates the steps x <- Phi(x) of -%slls_type picard; those of %s are others: use "
             "-%shg_type aid, or picard",
             prefix, type, prefix);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGSetUp_ITD(HG hg)
{
  ITD *itd = (ITD *)hg->data;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(CheckRecords(hg));
  PetscCall(Reset(hg));
  if (itd->mode == HG_ITD_FORWARD) {
    PetscCall(HGForwardCreate_Private(hg, itd->block, itd->truncate, &itd->forward));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(LLSGetFPM(hg->lls, &fpm));
  PetscCall(FPMCreateState(fpm, &itd->a));
  PetscCall(FPMCreateState(fpm, &itd->b));
  PetscCall(TapeSetUp(itd->tape, hg->x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGView_ITD(HG hg, PetscViewer viewer)
{
  ITD *itd = (ITD *)hg->data;

  PetscFunctionBegin;
  if (itd->truncate)
    PetscCall(PetscViewerASCIIPrintf(viewer, "%s mode through the last %" PetscInt_FMT " steps\n",
                                     HGITDModes[itd->mode], itd->truncate));
  else
    PetscCall(PetscViewerASCIIPrintf(viewer, "%s mode through all steps\n", HGITDModes[itd->mode]));
  if (itd->mode == HG_ITD_REVERSE)
    PetscCall(TapeView(itd->tape, viewer));
  else if (itd->block)
    PetscCall(PetscViewerASCIIPrintf(viewer, "%" PetscInt_FMT " entries of lambda at a time\n", itd->block));
  else
    PetscCall(PetscViewerASCIIPrintf(viewer, "all entries of lambda at a time\n"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGGetMemory_ITD(HG hg, PetscLogDouble *bytes)
{
  ITD *itd = (ITD *)hg->data;
  PetscLogDouble tape;
  PetscInt t, nlocal;

  PetscFunctionBegin;
  if (itd->forward) {
    PetscCall(HGForwardAddMemory_Private(itd->forward, bytes));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(LLSGetTolerances(hg->lls, NULL, NULL, &t));
  PetscCall(TapeGetMemory(itd->tape, t, &tape));
  PetscCall(VecGetLocalSize(hg->g1, &nlocal));
  *bytes += tape + 2.0 * (PetscLogDouble)(itd->a->n * nlocal) * sizeof(PetscScalar);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGDestroy_ITD(HG hg)
{
  ITD *itd = (ITD *)hg->data;

  PetscFunctionBegin;
  PetscCall(Reset(hg));
  PetscCall(TapeDestroy(&itd->tape));
  PetscCall(PetscFree(hg->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGCreate_ITD(HG hg)
{
  ITD *itd;

  PetscFunctionBegin;
  PetscCall(PetscNew(&itd));
  hg->data = itd;
  itd->block = 32;
  PetscCall(TapeCreate(PetscObjectComm((PetscObject)hg), &itd->tape));
  hg->ops->setfromoptions = HGSetFromOptions_ITD;
  hg->ops->setup = HGSetUp_ITD;
  hg->ops->prepare = HGPrepare_ITD;
  hg->ops->adjoint = HGAdjoint_ITD;
  hg->ops->certify = HGCertify_ITD;
  hg->ops->firstadjoint = HGFirstAdjoint_ITD;
  hg->ops->view = HGView_ITD;
  hg->ops->memory = HGGetMemory_ITD;
  hg->ops->destroy = HGDestroy_ITD;
  PetscFunctionReturn(PETSC_SUCCESS);
}

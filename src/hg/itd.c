/* itd: iterative differentiation in reverse mode. The lower-level solve records its states x_0, ..., x_{t-1}
   on a tape; then, from a_t = (grad1 E(x_t), 0, ...), for i = t-1, ..., 0 with the derivatives of Phi at x_i

     g <- g + d2Phi^T a_{i+1},   a_i = d1Phi^T a_{i+1}

   Truncated to K steps the loop ends after i = t - K, and the tape need keep no more than the last K states.
 */
#include <twofold/impl/hgimpl.h>
#include <twofold/impl/llsimpl.h>

typedef struct {
  Tape tape;
  PetscInt truncate; /* 0: all steps */
  State a, b;        /* the adjoint state and its next */
  Vec sum;           /* of the first vectors of all a; NULL where nobody asks */
} ITD;

static PetscErrorCode Record(void *ctx, PetscInt i, State x)
{
  PetscFunctionBegin;
  (void)i;
  PetscCall(TapePush((Tape)ctx, x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGPrepare_ITD(HG hg)
{
  ITD *itd = (ITD *)hg->data;

  PetscFunctionBegin;
  PetscCall(LLSKeepChanges_Private(hg->lls, HGWantsBound_Private(hg)));
  PetscCall(TapeRewind(itd->tape));
  PetscCall(LLSSetRecord(hg->lls, Record, itd->tape));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One reverse step through Phi at the tape's state i; the new adjoint state only if another step follows. */
static PetscErrorCode ReverseStep(ITD *itd, FPM fpm, Vec lambda, PetscInt i, PetscBool last, Vec g)
{
  State x;

  PetscFunctionBegin;
  PetscCall(TapeGetState(itd->tape, i, &x));
  PetscCall(FPMLinearize(fpm, lambda, x));
  PetscCall(FPMParameterVJPAdd(fpm, itd->a, g));
  if (itd->sum) PetscCall(VecAXPY(itd->sum, 1, itd->a->v[0]));
  if (!last) {
    PetscCall(FPMVJP(fpm, itd->a, itd->b));
    const State swap = itd->a;
    itd->a = itd->b;
    itd->b = swap;
  }
  PetscCall(TapeRestoreState(itd->tape, i, &x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGAdjoint_ITD(HG hg, Vec lambda, Vec g)
{
  ITD *itd = (ITD *)hg->data;
  PetscInt first, t;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(LLSGetFPM(hg->lls, &fpm));
  PetscCall(TapeGetRange(itd->tape, &first, &t));
  const PetscInt stop = itd->truncate ? PetscMax(0, t - itd->truncate) : 0;
  PetscCheck(first <= stop, PetscObjectComm((PetscObject)hg), PETSC_ERR_ARG_INCOMP,
             "the tape kept states from %" PetscInt_FMT " on, the reverse sweep goes down to %" PetscInt_FMT
             ": raise -tape_window, or truncate by -hg_itd_truncate",
             first, stop);
  PetscCall(StateZero(itd->a));
  PetscCall(VecCopy(hg->g1, itd->a->v[0]));
  if (HGWantsEstimate_Private(hg) && !itd->sum) PetscCall(VecDuplicate(hg->g1, &itd->sum));
  if (itd->sum) PetscCall(VecZeroEntries(itd->sum));
  for (PetscInt i = t - 1; i >= stop; i--)
    PetscCall(ReverseStep(itd, fpm, lambda, i, (PetscBool)(i == stop), g));
  hg->report.adjoint_its = t - stop;
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

PetscErrorCode HGITDSetTruncation(HG hg, PetscInt K)
{
  PetscBool itd;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)hg, HGITD, &itd));
  PetscCheck(itd, PetscObjectComm((PetscObject)hg), PETSC_ERR_ARG_WRONG,
             "HGITDSetTruncation: the hypergradient is not itd");
  PetscCheck(K >= 0, PetscObjectComm((PetscObject)hg), PETSC_ERR_ARG_OUTOFRANGE,
             "-hg_itd_truncate %" PetscInt_FMT ": must not be negative (0: all steps)", K);
  ((ITD *)hg->data)->truncate = K;
  hg->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetTape(HG hg, Tape *tape)
{
  PetscBool itd;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)hg, HGITD, &itd));
  PetscCheck(itd, PetscObjectComm((PetscObject)hg), PETSC_ERR_ARG_WRONG,
             "only an itd hypergradient has a tape");
  PetscCall(HGCheckOneLevel_Private(hg, "HGGetTape()"));
  *tape = ((ITD *)hg->data)->tape;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGSetFromOptions_ITD(HG hg, PetscOptionItems *PetscOptionsObject)
{
  ITD *itd = (ITD *)hg->data;
  PetscInt K = itd->truncate;

  PetscFunctionBegin;
  PetscCall(PetscOptionsInt("-hg_itd_truncate", "Reverse steps at most (0: all)", "HGITDSetTruncation", K, &K,
                            NULL));
  PetscCall(HGITDSetTruncation(hg, K));
  PetscCall(TapeSetOptionsPrefix(itd->tape, ((PetscObject)hg)->prefix));
  if (K) { /* a ring of K states is all that is read; -tape_type still decides */
    PetscCall(TapeSetType(itd->tape, TAPERING));
    PetscCall(TapeSetWindow(itd->tape, K));
  }
  PetscCall(TapeSetFromOptions(itd->tape));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGSetUp_ITD(HG hg)
{
  ITD *itd = (ITD *)hg->data;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(LLSGetFPM(hg->lls, &fpm));
  PetscCall(StateDestroy(&itd->a));
  PetscCall(StateDestroy(&itd->b));
  PetscCall(VecDestroy(&itd->sum));
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
    PetscCall(PetscViewerASCIIPrintf(viewer, "reverse mode through the last %" PetscInt_FMT " steps\n",
                                     itd->truncate));
  else
    PetscCall(PetscViewerASCIIPrintf(viewer, "reverse mode through all steps\n"));
  PetscCall(TapeView(itd->tape, viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGGetMemory_ITD(HG hg, PetscLogDouble *bytes)
{
  ITD *itd = (ITD *)hg->data;
  PetscLogDouble tape;
  PetscInt t, nlocal;

  PetscFunctionBegin;
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
  PetscCall(TapeDestroy(&itd->tape));
  PetscCall(StateDestroy(&itd->a));
  PetscCall(StateDestroy(&itd->b));
  PetscCall(VecDestroy(&itd->sum));
  PetscCall(PetscFree(hg->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGCreate_ITD(HG hg)
{
  ITD *itd;

  PetscFunctionBegin;
  PetscCall(PetscNew(&itd));
  hg->data = itd;
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

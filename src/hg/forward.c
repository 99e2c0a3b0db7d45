/* itd in forward mode. Beside the lower level's states it carries columns of their derivative in lambda,

     x'_0 = 0,   x'_{i+1} = d1Phi(x_i) x'_i + d2Phi(x_i) e_j,   g_j = (grad2 E)_j + <grad1 E, w'_t>

   for a block of lambda's entries j at a time: the first along with the lower-level solve, each of the others
   along with the same steps made once more. No state is kept; the memory is that of a block, whatever t is.

   Truncated to K steps it begins with x' = 0 at x_{t-K}, and t must be known beforehand. */
#include <twofold/impl/hgimpl.h>

struct _n_HGForward {
  HG hg;                    /* whose this is */
  Vec lambda;               /* the point; borrowed during a solve */
  PetscInt m;               /* entries of lambda */
  PetscInt block;           /* columns made, at most m */
  PetscInt first, n;        /* the columns in hand: entries first .. first + n - 1 of lambda */
  PetscInt truncate, begin; /* steps to differentiate, 0: all; the first of them */
  State *dx;                /* columns */
  State next, part;         /* d1Phi x' + d2Phi e, and its second term */
  State x;                  /* of the steps that are made once more; NULL where one block has all columns */
  Vec *w;                   /* first vectors of the columns, for the products with grad1 E */
  Vec unit;                 /* e_j */
  PetscScalar *dot;
};

PetscErrorCode HGForwardDestroy_Private(HGForward *forward)
{
  HGForward fw = *forward;

  PetscFunctionBegin;
  if (!fw) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt j = 0; j < fw->block; j++) PetscCall(StateDestroy(&fw->dx[j]));
  PetscCall(PetscFree3(fw->dx, fw->w, fw->dot));
  PetscCall(StateDestroy(&fw->next));
  PetscCall(StateDestroy(&fw->part));
  PetscCall(StateDestroy(&fw->x));
  PetscCall(VecDestroy(&fw->unit));
  PetscCall(PetscFree(*forward));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FindBegin(HGForward fw)
{
  PetscReal rtol, atol;
  PetscInt t;

  PetscFunctionBegin;
  PetscCall(LLSGetTolerances(fw->hg->lls, &rtol, &atol, &t));
  PetscCheck(!fw->truncate || (rtol == 0 && atol == 0), PetscObjectComm((PetscObject)fw->hg), PETSC_ERR_SUP,
             "-hg_itd_mode forward with -hg_itd_truncate %" PetscInt_FMT
             " must know the number of lower-level steps beforehand, and a tolerance decides it: use "
             "-hg_itd_mode reverse, or -lls_rtol 0 and -lls_atol 0",
             fw->truncate);
  fw->begin = fw->truncate ? PetscMax(0, t - fw->truncate) : 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGForwardCreate_Private(HG hg, PetscInt block, PetscInt truncate, HGForward *forward)
{
  HGForward fw;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(PetscNew(&fw));
  *forward = fw;
  fw->hg = hg;
  fw->truncate = truncate;
  PetscCall(FindBegin(fw));
  PetscCall(BLPGetSizes(hg->blp, &fw->m, NULL));
  fw->block = block ? PetscMin(block, fw->m) : fw->m;
  PetscCall(LLSGetFPM(hg->lls, &fpm));
  PetscCall(PetscCalloc3(fw->block, &fw->dx, fw->block, &fw->w, fw->block, &fw->dot));
  for (PetscInt j = 0; j < fw->block; j++) PetscCall(FPMCreateState(fpm, &fw->dx[j]));
  PetscCall(FPMCreateState(fpm, &fw->next));
  PetscCall(FPMCreateState(fpm, &fw->part));
  if (fw->block < fw->m) PetscCall(FPMCreateState(fpm, &fw->x));
  PetscCall(BLPCreateVecs(hg->blp, &fw->unit, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGForwardAddMemory_Private(HGForward fw, PetscLogDouble *bytes)
{
  PetscInt nlocal, mlocal;
  const PetscInt states = fw->block + (fw->x ? 3 : 2);

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(fw->next->v[0], &nlocal));
  PetscCall(VecGetLocalSize(fw->unit, &mlocal));
  *bytes += (PetscLogDouble)sizeof(PetscScalar) *
            ((PetscLogDouble)states * (PetscLogDouble)(fw->next->n * nlocal) + (PetscLogDouble)mlocal);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ one block */

static PetscErrorCode BeginBlock(HGForward fw, PetscInt first)
{
  PetscFunctionBegin;
  fw->first = first;
  fw->n = PetscMin(fw->block, fw->m - first);
  for (PetscInt j = 0; j < fw->n; j++) PetscCall(StateZero(fw->dx[j]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The columns behind the step from x, the state after i steps: a record hook. */
static PetscErrorCode Advance(void *ctx, PetscInt i, State x)
{
  HGForward fw = (HGForward)ctx;
  FPM fpm;

  PetscFunctionBegin;
  if (i < fw->begin) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(LLSGetFPM(fw->hg->lls, &fpm));
  PetscCall(FPMLinearize(fpm, fw->lambda, x));
  for (PetscInt j = 0; j < fw->n; j++) {
    PetscCall(TwofoldVecSetUnit(fw->unit, fw->first + j));
    PetscCall(FPMParameterJVP(fpm, fw->unit, fw->part));
    PetscCall(FPMJVP(fpm, fw->dx[j], fw->next));
    PetscCall(StateAYPX(fw->next, 1, fw->part));
    const State swap = fw->dx[j];
    fw->dx[j] = fw->next;
    fw->next = swap;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g_j += <grad1 E, w'> for the columns in hand. */
static PetscErrorCode AddProducts(HGForward fw, Vec g)
{
  PetscInt from, to;
  PetscScalar *a;

  PetscFunctionBegin;
  for (PetscInt j = 0; j < fw->n; j++) fw->w[j] = fw->dx[j]->v[0];
  PetscCall(VecMDot(fw->hg->g1, fw->n, fw->w, fw->dot));
  PetscCall(VecGetOwnershipRange(g, &from, &to));
  PetscCall(VecGetArray(g, &a));
  for (PetscInt j = 0; j < fw->n; j++) {
    const PetscInt k = fw->first + j;
    if (k >= from && k < to) a[k - from] += fw->dot[j];
  }
  PetscCall(VecRestoreArray(g, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ a solve */

PetscErrorCode HGForwardPrepare_Private(HGForward fw, Vec lambda)
{
  PetscFunctionBegin;
  PetscCall(FindBegin(fw));
  fw->lambda = lambda;
  PetscCall(BeginBlock(fw, 0));
  PetscCall(LLSSetRecord(fw->hg->lls, Advance, fw));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGForwardAdd_Private(HGForward fw, Vec g)
{
  const HG hg = fw->hg;
  const PetscInt t = hg->report.lower_its;
  PetscBool stop;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(LLSGetFPM(hg->lls, &fpm));
  PetscCall(AddProducts(fw, g));
  for (PetscInt first = fw->block; first < fw->m; first += fw->block) {
    PetscCall(BeginBlock(fw, first));
    PetscCall(HGGetStart_Private(hg, fw->x));
    for (PetscInt i = 0; i < t; i++) {
      PetscCall(HGPoll_Private(hg, HG_STAGE_REVERSE, &stop));
      if (stop) PetscFunctionReturn(PETSC_SUCCESS);
      PetscCall(Advance(fw, i, fw->x));
      PetscCall(FPMStep(fpm, fw->lambda, fw->x, NULL));
    }
    PetscCall(AddProducts(fw, g));
  }
  hg->report.adjoint_its = PetscMax(0, t - fw->begin);
  PetscFunctionReturn(PETSC_SUCCESS);
}

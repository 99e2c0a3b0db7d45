/* Precond: a preconditioner of the lower level's Hessian. Interface and dispatch; when it is built, and how
   long it is kept. */
#include <twofold/impl/blpimpl.h>
#include <twofold/impl/precondimpl.h>

PetscClassId PRECOND_CLASSID;
static PetscFunctionList PrecondList = NULL;

/* The class and the types that come with it, once: on the first call of anything that needs them. */
static PetscErrorCode PrecondRegisterAll(void)
{
  PetscFunctionBegin;
  if (PrecondList) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldRegisterEvents());
  PetscCall(PetscClassIdRegister("Preconditioner", &PRECOND_CLASSID));
  PetscCall(TwofoldListAdd(&PrecondList, PRECONDNONE, (TwofoldConstructor)PrecondCreate_None));
  PetscCall(TwofoldListAdd(&PrecondList, PRECONDJACOBI, (TwofoldConstructor)PrecondCreate_Jacobi));
  PetscCall(TwofoldListAdd(&PrecondList, PRECONDNYSTROM, (TwofoldConstructor)PrecondCreate_Nystrom));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondRegister(const char type[], PetscErrorCode (*create)(Precond))
{
  PetscFunctionBegin;
  PetscCall(PrecondRegisterAll());
  PetscCall(TwofoldListAdd(&PrecondList, type, (TwofoldConstructor)create));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondGetRegistered(PetscInt *n, const char ***types)
{
  PetscFunctionBegin;
  PetscCall(PrecondRegisterAll());
  PetscCall(TwofoldListTypes(PrecondList, n, types));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondCreate(MPI_Comm comm, Precond *precond)
{
  Precond P;

  PetscFunctionBegin;
  PetscCall(PrecondRegisterAll());
  PetscCall(PetscHeaderCreate(P, PRECOND_CLASSID, "Precond", "Preconditioner", "Precond", comm,
                              PrecondDestroy, PrecondView));
  P->rank = 20;
  P->seed = 1;
  P->reuse = 10;
  P->growth = 2;
  *precond = P;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondDestroy(Precond *precond)
{
  PetscFunctionBegin;
  if (!TwofoldLastReference((PetscObject *)precond)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscTryTypeMethod(*precond, destroy);
  PetscCall(BLPDestroy(&(*precond)->blp));
  PetscCall(PetscHeaderDestroy(precond));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ settings */

const char *PrecondPrefix_Private(Precond precond)
{
  return ((PetscObject)precond)->prefix ? ((PetscObject)precond)->prefix : "";
}

PetscErrorCode PrecondSetOptionsPrefix(Precond precond, const char prefix[])
{
  PetscFunctionBegin;
  PetscCall(PetscObjectSetOptionsPrefix((PetscObject)precond, prefix));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondSetType(Precond precond, PrecondType type)
{
  PetscBool changed;

  PetscFunctionBegin;
  PetscCall(TwofoldSetType((PetscObject)precond, PrecondList, "precond", type,
                           (TwofoldTypeFn)precond->ops->destroy, precond->ops, sizeof(struct _PrecondOps),
                           &changed));
  if (changed) precond->built = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondGetType(Precond precond, PrecondType *type)
{
  PetscFunctionBegin;
  *type = ((PetscObject)precond)->type_name;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondSetRank(Precond precond, PetscInt rank)
{
  PetscFunctionBegin;
  PetscCheck(rank > 0, PetscObjectComm((PetscObject)precond), PETSC_ERR_ARG_OUTOFRANGE,
             "-%sprecond_rank %" PetscInt_FMT ": must be positive", PrecondPrefix_Private(precond), rank);
  if (rank != precond->rank) precond->built = PETSC_FALSE;
  precond->rank = rank;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondSetReuse(Precond precond, PetscInt N, PetscReal growth)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)precond);

  PetscFunctionBegin;
  PetscCheck(N >= 0, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-%sprecond_reuse %" PetscInt_FMT ": must not be negative (0: any number)",
             PrecondPrefix_Private(precond), N);
  PetscCheck(growth > 1, comm, PETSC_ERR_ARG_OUTOFRANGE, "-%sprecond_growth %g: must be more than 1",
             PrecondPrefix_Private(precond), (double)growth);
  precond->reuse = N;
  precond->growth = growth;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondSetFromOptions(Precond precond)
{
  char type[64];
  PetscInt N = precond->reuse;
  PetscReal growth = precond->growth;

  PetscFunctionBegin;
  PetscObjectOptionsBegin((PetscObject)precond);
  PetscCall(TwofoldOptionsType(PetscOptionsObject, "-precond", "Preconditioner of the Hessian",
                               "PrecondSetType", PrecondList, PRECONDNONE, type, sizeof(type)));
  PetscCall(PrecondSetType(precond, type));
  if (precond->ops->build) {
    PetscCall(PetscOptionsInt("-precond_reuse", "Runs it is kept for (0: any number)", "PrecondSetReuse", N,
                              &N, NULL));
    PetscCall(PetscOptionsReal("-precond_growth", "Or until iterations per digit grow by this factor",
                               "PrecondSetReuse", growth, &growth, NULL));
  }
  PetscTryTypeMethod(precond, setfromoptions, PetscOptionsObject);
  PetscOptionsEnd();
  PetscCall(PrecondSetReuse(precond, N, growth));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondSetBLP(Precond precond, BLP blp)
{
  PetscBool loss;

  PetscFunctionBegin;
  if (!((PetscObject)precond)->type_name) PetscCall(PrecondSetType(precond, PRECONDNONE));
  PetscCall(PetscObjectReference((PetscObject)blp));
  PetscCall(BLPDestroy(&precond->blp));
  precond->blp = blp;
  precond->built = PETSC_FALSE;
  PetscTryTypeMethod(precond, reset);
  if (!precond->ops->build) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(BLPHasLoss(blp, &loss));
  PetscCheck(loss, PetscObjectComm((PetscObject)precond), PETSC_ERR_SUP,
             "-%sprecond %s is made from the Hessian of the lower level's loss; problem type %s gives a map",
             PrecondPrefix_Private(precond), ((PetscObject)precond)->type_name,
             ((PetscObject)blp)->type_name);
  PetscTryTypeMethod(precond, check);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondIsNone_Private(Precond precond, PetscBool *none)
{
  PetscFunctionBegin;
  *none = (PetscBool)!precond->ops->build;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondIsLike_Private(Precond a, Precond b, PetscBool *like)
{
  PetscFunctionBegin;
  PetscCall(PetscStrcmp(((PetscObject)a)->type_name, ((PetscObject)b)->type_name, like));
  if (a->rank != b->rank || a->seed != b->seed || a->reuse != b->reuse || a->growth != b->growth)
    *like = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ when it is built */

PetscErrorCode PrecondBegin(Precond precond)
{
  PetscFunctionBegin;
  if (precond->built) precond->runs++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondBuild(Precond precond, Vec lambda, Vec w)
{
  PetscFunctionBegin;
  PetscCheck(precond->blp, PetscObjectComm((PetscObject)precond), PETSC_ERR_ARG_WRONGSTATE,
             "PrecondSetBLP() first");
  if (!precond->ops->build) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscLogEventBegin(TWOFOLD_PrecondBuild, precond, lambda, w, 0));
  PetscCall(BLPLossLinearize(precond->blp, lambda, w));
  PetscUseTypeMethod(precond, build, lambda, w);
  precond->builds++;
  PetscCall(PetscLogEventEnd(TWOFOLD_PrecondBuild, precond, lambda, w, 0));
  precond->built = PETSC_TRUE;
  precond->slow = PETSC_FALSE;
  precond->runs = 0;
  precond->best = (PetscReal)INFINITY;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondPrepare(Precond precond, Vec lambda, Vec w, PetscBool *built)
{
  const PetscBool old = (PetscBool)(precond->reuse > 0 && precond->runs >= precond->reuse);
  const PetscBool due = (PetscBool)(precond->ops->build && (!precond->built || old || precond->slow));

  PetscFunctionBegin;
  if (due) PetscCall(PrecondBuild(precond, lambda, w));
  if (built) *built = due;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Iterations per decimal digit, so that solves to different tolerances compare. A few iterations are never
 * too many. */
PetscErrorCode PrecondTell(Precond precond, PetscInt its, PetscReal reduction)
{
  const PetscReal digits = reduction < 1 ? -PetscLog10Real(PetscMax(reduction, 1e-16)) : 0;
  const PetscReal each = (PetscReal)its / PetscMax(digits, 0.1);

  PetscFunctionBegin;
  if (its == 0) PetscFunctionReturn(PETSC_SUCCESS);
  if (its > 10 && each > precond->growth * precond->best) precond->slow = PETSC_TRUE;
  precond->best = PetscMin(precond->best, each);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ application */

PetscErrorCode PrecondApply(Precond precond, Vec x, Vec y)
{
  PetscFunctionBegin;
  PetscCheck(precond->built || !precond->ops->build, PetscObjectComm((PetscObject)precond),
             PETSC_ERR_ARG_WRONGSTATE, "the preconditioner is not built: PrecondPrepare() first");
  PetscCall(PetscLogEventBegin(TWOFOLD_PrecondApply, precond, x, y, 0));
  if (precond->ops->apply)
    PetscUseTypeMethod(precond, apply, x, y);
  else
    PetscCall(VecCopy(x, y));
  PetscCall(PetscLogEventEnd(TWOFOLD_PrecondApply, precond, x, y, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondHasRoot_Private(Precond precond, PetscBool *has)
{
  PetscFunctionBegin;
  *has = (PetscBool)(precond->ops->applyroot != NULL);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondApplyRoot_Private(Precond precond, Vec x, Vec y)
{
  PetscFunctionBegin;
  PetscCheck(precond->built, PetscObjectComm((PetscObject)precond), PETSC_ERR_ARG_WRONGSTATE,
             "the preconditioner is not built: PrecondPrepare() first");
  PetscUseTypeMethod(precond, applyroot, x, y);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Before the first point, as where chebyshev estimates eigenvalues in KSPSetUp() and does so again at each
   point, it is the identity. */
static PetscErrorCode PCApply_Precond(PC pc, Vec x, Vec y)
{
  Precond precond;

  PetscFunctionBegin;
  PetscCall(PCShellGetContext(pc, &precond));
  if (precond->built)
    PetscCall(PrecondApply(precond, x, y));
  else
    PetscCall(VecCopy(x, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* P is symmetric. */
static PetscErrorCode SetPC(Precond precond, PC pc)
{
  PetscFunctionBegin;
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetContext(pc, precond));
  PetscCall(PCShellSetApply(pc, PCApply_Precond));
  PetscCall(PCShellSetApplyTranspose(pc, PCApply_Precond));
  PetscCall(PCShellSetName(pc, ((PetscObject)precond)->type_name));
  PetscCall(PetscObjectComposeFunction((PetscObject)pc, "TwofoldPrecond", PCApply_Precond));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Without one of ours: PETSc's own must do with products. */
static PetscErrorCode CheckPC(KSP ksp, PC pc)
{
  const char *const prefix = ((PetscObject)ksp)->prefix ? ((PetscObject)ksp)->prefix : "";
  PetscBool products;
  PCType type;

  PetscFunctionBegin;
  PetscCall(PCGetType(pc, &type));
  PetscCall(PetscObjectTypeCompareAny((PetscObject)pc, &products, PCNONE, PCSHELL, PCKSP, PCCOMPOSITE, PCMAT,
                                      PCLMVM, ""));
  PetscCheck(products || !type, PetscObjectComm((PetscObject)ksp), PETSC_ERR_SUP,
             "-%spc_type %s needs the entries of the matrix, and there are only products with it: use "
             "-%sprecond jacobi or nystrom",
             prefix, type, prefix);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether the PC is a shell of ours, made for this KSP before. */
static PetscErrorCode IsOurs(PC pc, PetscBool *ours)
{
  PetscErrorCode (*apply)(PC, Vec, Vec) = NULL;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)pc, PCSHELL, ours));
  if (!*ours) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscObjectQueryFunction((PetscObject)pc, "TwofoldPrecond", &apply));
  *ours = (PetscBool)(apply != NULL);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondSetKSP(Precond precond, KSP ksp)
{
  const char *const prefix = ((PetscObject)ksp)->prefix ? ((PetscObject)ksp)->prefix : "";
  PetscBool cg, given, ours, bare;
  PCType other;
  PC pc;

  PetscFunctionBegin;
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(IsOurs(pc, &ours));
  if (!precond->ops->build) {
    if (ours) PetscCall(PCSetType(pc, PCNONE));
    PetscCall(CheckPC(ksp, pc));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(PCGetType(pc, &other));
  PetscCall(PetscObjectTypeCompare((PetscObject)pc, PCNONE, &bare));
  PetscCheck(ours || bare || !other, PetscObjectComm((PetscObject)precond), PETSC_ERR_ARG_INCOMP,
             "-%sprecond %s beside -%spc_type %s: drop one of them", prefix,
             ((PetscObject)precond)->type_name, prefix, other);
  PetscCall(SetPC(precond, pc));
  PetscCall(PetscObjectTypeCompare((PetscObject)ksp, KSPCG, &cg));
  PetscCall(
      PetscOptionsHasName(((PetscObject)ksp)->options, ((PetscObject)ksp)->prefix, "-ksp_norm_type", &given));
  if (cg && !given) PetscCall(KSPSetNormType(ksp, KSP_NORM_UNPRECONDITIONED));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ cost, view */

PetscErrorCode PrecondGetCost(Precond precond, PetscInt *builds, PetscInt *products)
{
  PetscFunctionBegin;
  if (builds) *builds = precond->builds;
  if (products) *products = precond->products;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondGetMemory(Precond precond, PetscLogDouble *bytes)
{
  PetscFunctionBegin;
  *bytes = 0;
  PetscTryTypeMethod(precond, memory, bytes);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondView(Precond precond, PetscViewer viewer)
{
  PetscBool ascii;

  PetscFunctionBegin;
  PetscCall(TwofoldViewHeader((PetscObject)precond, &viewer, &ascii));
  if (!ascii || !precond->ops->build) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscViewerASCIIPushTab(viewer));
  PetscTryTypeMethod(precond, view, viewer);
  if (precond->reuse > 0)
    PetscCall(PetscViewerASCIIPrintf(viewer, "kept for %" PetscInt_FMT " runs", precond->reuse));
  else
    PetscCall(PetscViewerASCIIPrintf(viewer, "kept for any number of runs"));
  PetscCall(PetscViewerASCIIUseTabs(viewer, PETSC_FALSE));
  PetscCall(PetscViewerASCIIPrintf(viewer,
                                   ", or until iterations grow by %g; built %" PetscInt_FMT
                                   " times with %" PetscInt_FMT " products\n",
                                   (double)precond->growth, precond->builds, precond->products));
  PetscCall(PetscViewerASCIIUseTabs(viewer, PETSC_TRUE));
  PetscCall(PetscViewerASCIIPopTab(viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* none */
PetscErrorCode PrecondCreate_None(Precond precond)
{
  PetscFunctionBegin;
  (void)precond;
  PetscFunctionReturn(PETSC_SUCCESS);
}

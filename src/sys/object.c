/* What all classes do alike: registration lists, change of type, references, the first line of a view. */
#include <twofold/impl/sysimpl.h>

/* The registration lists to free when PETSc ends. */
enum { max_lists = 16 };
static PetscFunctionList *lists[max_lists];
static int nlists = 0;

static PetscErrorCode FreeLists(void)
{
  PetscFunctionBegin;
  for (int i = 0; i < nlists; i++) PetscCall(PetscFunctionListDestroy(lists[i]));
  nlists = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldListAdd(PetscFunctionList *list, const char name[], TwofoldConstructor create)
{
  PetscFunctionBegin;
  if (!*list) {
    PetscCheck(nlists < max_lists, PETSC_COMM_SELF, PETSC_ERR_PLIB, "more than %d registration lists",
               max_lists);
    if (nlists == 0) PetscCall(PetscRegisterFinalize(FreeLists));
    lists[nlists++] = list;
  }
  PetscCall(PetscFunctionListAdd(list, name, create));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldSetType(PetscObject obj, PetscFunctionList list, const char option[], const char type[],
                              TwofoldTypeFn destroy, void *ops, size_t opsbytes, PetscBool *changed)
{
  TwofoldConstructor create;
  PetscBool same;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare(obj, type, &same));
  if (changed) *changed = (PetscBool)!same;
  if (same) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldFindType(obj, list, option, type, &create));
  if (destroy) PetscCall((*destroy)(obj));
  PetscCall(PetscMemzero(ops, opsbytes));
  PetscCall(((TwofoldTypeFn)create)(obj));
  PetscCall(PetscObjectChangeTypeName(obj, type));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldOptionsType(PetscOptionItems *PetscOptionsObject, const char option[],
                                  const char text[], const char manual[], PetscFunctionList list,
                                  const char initial[], char type[], size_t len)
{
  const char *now = PetscOptionsObject->object->type_name ? PetscOptionsObject->object->type_name : initial;
  PetscBool set;

  PetscFunctionBegin;
  PetscCall(PetscOptionsFList(option, text, manual, list, now, type, len, &set));
  if (!set) PetscCall(PetscStrncpy(type, now, len));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldChildPrefix(PetscObject child, PetscObject parent, const char own[])
{
  PetscFunctionBegin;
  PetscCall(PetscObjectSetOptionsPrefix(child, parent->prefix));
  PetscCall(PetscObjectAppendOptionsPrefix(child, own));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool TwofoldLastReference(PetscObject *obj)
{
  if (!*obj) return PETSC_FALSE;
  if (--(*obj)->refct == 0) return PETSC_TRUE;
  *obj = NULL;
  return PETSC_FALSE;
}

PetscErrorCode TwofoldViewHeader(PetscObject obj, PetscViewer *viewer, PetscBool *ascii)
{
  PetscFunctionBegin;
  if (!*viewer) PetscCall(PetscViewerASCIIGetStdout(obj->comm, viewer));
  PetscCall(PetscObjectTypeCompare((PetscObject)*viewer, PETSCVIEWERASCII, ascii));
  if (*ascii) PetscCall(PetscObjectPrintClassNamePrefixType(obj, *viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}
